/*{
    "DESCRIPTION": "The dream at this depth, blended from the two baked dream frames around it.",
    "LISTENS": "level",
    "COSTS": "two reads of the dream a pixel, the least of all looks"
}*/
#version 330 core
// How to write a look of your own, and which uniforms there are: docs/looks.md. The program draws a journey by
// base/stations.frag in its place: the same picture in less time.
#include "base/dream.glsl"

in vec2 uv;
out vec4 colour;

void main() {
    colour = vec4(dream(uv, depth), 1.0);
}
