#version 330 core
// A picture drawn before, blended over what is there: stretched smoothly to its size, more or less opaque.
uniform sampler2D layer;  // first row is the bottom one, as it was drawn
uniform float opacity;    // 0..1

in vec2 place;
out vec4 colour;

void main() {
    colour = vec4(textureLod(layer, vec2(place.x, 1.0 - place.y), 0.0).rgb, opacity);
}
