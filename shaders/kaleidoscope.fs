/*{
    "DESCRIPTION": "Mirrors around the middle: the dream becomes a rose that turns slowly and opens with the bass.",
    "CREDIT": "visualizer",
    "LISTENS": "bass, kicks; turns and wanders without any sound",
    "COSTS": "one read of the picture a pixel",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "segments", "TYPE": "long", "DEFAULT": 6, "MIN": 2, "MAX": 16, "LABEL": "segments",
         "DESCRIPTION": "number of mirrored pairs around the middle"},
        {"NAME": "angle", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1, "LABEL": "angle",
         "DESCRIPTION": "turns the mirrors, in full turns"},
        {"NAME": "wander", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1, "LABEL": "wander",
         "DESCRIPTION": "another place of the dream between the mirrors; it goes round and comes back at 1"},
        {"NAME": "opening", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "opening",
         "DESCRIPTION": "how much of the dream is seen between two mirrors"},
        {"NAME": "bloom", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "bloom",
         "DESCRIPTION": "how far the rose opens with bass and kicks"}
    ]
}*/

const float TURN = 6.2831853;

#include "base/kick.glsl"
#include "base/mirror.glsl"

mat2 turned(float turns) {
    float c = cos(TURN * turns), s = sin(TURN * turns);
    return mat2(c, s, -s, c);
}

void main() {
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 d = (isf_FragNormCoord - 0.5) * aspect;
    float wedge = TURN / float(segments);
    float r = length(d);
    float around = atan(d.y, d.x) + TURN * (angle + TIME / 140.0);
    // fold: every pair of mirrors shows the same, turned the other way in every second one
    float folded = abs(mod(around, wedge) - 0.5 * wedge);
    // bass and kicks move what is near the middle outwards
    r *= 1.0 - bloom * (0.1 * bass + 0.1 * beat()) / (1.0 + 2.0 * r);
    vec2 q = r * vec2(cos(folded), sin(folded)) * mix(0.4, 1.3, opening);
    vec2 place = 0.5 + vec2(0.28, 0.32) * vec2(cos(TURN * (wander + TIME / 97.0)), sin(TURN * (wander + TIME / 71.0)));
    q = turned(TIME / 113.0) * q;
    gl_FragColor = vec4(IMG_NORM_PIXEL(inputImage, mirrored(place + q / aspect)).rgb, 1.0);
}
