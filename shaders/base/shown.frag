#version 330 core
// What a look has drawn into a target, stretched smoothly over the picture and composited over black.
uniform sampler2D picture;

in vec2 place;
out vec4 colour;

void main() {
    vec4 seen = texture(picture, place);
    colour = vec4(seen.rgb * clamp(seen.a, 0.0, 1.0), 1.0);
}
