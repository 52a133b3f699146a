#version 330 core
// The look "crossfade": the dream at this depth, blended from the two baked dream frames around it.
// How to write a look of your own, and which uniforms there are: docs/looks.md.
#include "base/dream.glsl"

in vec2 uv;
out vec4 colour;

void main() {
    colour = vec4(dream(uv, depth), 1.0);
}
