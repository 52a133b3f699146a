#version 330 core
// The picture of the canvas as it is. Kept to one plain lookup: Mesa's software renderer copies such a shader quickly.
uniform sampler2D picture;

in vec2 place;
out vec4 colour;

void main() {
    colour = texture(picture, place);
}
