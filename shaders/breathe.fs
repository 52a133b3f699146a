/*{
    "DESCRIPTION": "The dream breathes: its middle swells slowly, and with the bass; a kick draws it nearer for a moment.",
    "CREDIT": "visualizer",
    "LISTENS": "bass, kicks; breathes and wanders without any sound",
    "COSTS": "one read of the picture a pixel",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "swell", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "swell",
         "DESCRIPTION": "how far the middle is enlarged, by the breath and the bass"},
        {"NAME": "push", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "push",
         "DESCRIPTION": "how far a kick draws the picture nearer"},
        {"NAME": "sway", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "sway",
         "DESCRIPTION": "how far the picture turns to and fro, and its middle wanders"},
        {"NAME": "period_s", "TYPE": "float", "DEFAULT": 11, "MIN": 4, "MAX": 40, "LABEL": "breath, s",
         "DESCRIPTION": "time of one breath, seconds"}
    ]
}*/

const float TURN = 6.2831853;

#include "base/kick.glsl"
#include "base/mirror.glsl"

void main() {
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 heart = 0.5 + sway * vec2(0.16 * sin(TURN * TIME / 61.0), 0.1 * sin(TURN * TIME / 43.0 + 1.0));
    vec2 d = (isf_FragNormCoord - heart) * aspect;
    float breath = 0.5 - 0.5 * cos(TURN * TIME / period_s);
    float nearer = swell * (0.22 * breath + 0.14 * bass) + push * 0.12 * beat();
    // most in the middle, little at the edge: the picture swells like a chest instead of being zoomed as a whole
    float inside = 1.0 / (1.0 + 2.5 * dot(d, d));
    float angle = sway * 0.07 * sin(TURN * TIME / 37.0) * (0.4 + inside);
    d = mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * d;
    d *= 1.0 - 0.03 * sway - nearer * (0.15 + 0.85 * inside);
    gl_FragColor = vec4(IMG_NORM_PIXEL(inputImage, mirrored(heart + d / aspect)).rgb, 1.0);
}
