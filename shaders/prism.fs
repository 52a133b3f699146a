/*{
    "DESCRIPTION": "At a kick the colours part like light in a prism, most at the edges, and come together again.",
    "CREDIT": "visualizer",
    "LISTENS": "kicks, highs",
    "COSTS": "seven reads a pixel",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "strength", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "strength",
         "DESCRIPTION": "how far the colours part at a kick"},
        {"NAME": "always", "TYPE": "float", "DEFAULT": 0.15, "MIN": 0, "MAX": 1, "LABEL": "always",
         "DESCRIPTION": "how far they are apart without a kick, more with the highs"},
        {"NAME": "twist", "TYPE": "float", "DEFAULT": 0.3, "MIN": -1, "MAX": 1, "LABEL": "twist",
         "DESCRIPTION": "0: outwards, 1: around the middle"}
    ]
}*/

const int N = 7;

#include "base/kick.glsl"

void main() {
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 d = (isf_FragNormCoord - 0.5) * aspect;
    float far = dot(d, d);
    vec2 way = mix(d, vec2(-d.y, d.x) * sign(twist), abs(twist)) / aspect;
    way *= (0.11 * strength * beat() + 0.05 * always * (0.4 + 0.6 * high)) * (0.3 + 0.7 * min(far * 2.0, 1.0));
    vec3 sum = vec3(0.0), whole = vec3(0.0);
    for (int i = 0; i < N; i++) {
        float at = float(i) / float(N - 1);  // 0 blue, 0.5 green, 1 red
        vec3 band = max(1.0 - 2.0 * abs(at - vec3(1.0, 0.5, 0.0)), 0.0);
        sum += band * IMG_NORM_PIXEL(inputImage, isf_FragNormCoord + (at - 0.5) * way).rgb;
        whole += band;
    }
    gl_FragColor = vec4(sum / whole, 1.0);
}
