#version 330 core
// One triangle over the whole picture, and the dream frame fitted to it: not stretched; what does not fit is cut off.
uniform vec2 cover_origin;  // the part of the frame that is seen: its top left corner, 0..1
uniform vec2 cover_extent;  // and its width and height, 0..1

out vec2 uv;
out vec2 place;

void main() {
    vec2 corner = vec2(float((gl_VertexID & 1) * 4 - 1), float((gl_VertexID >> 1) * 4 - 1));
    place = vec2(corner.x, -corner.y) * 0.5 + 0.5;
    uv = cover_origin + place * cover_extent;
    gl_Position = vec4(corner, 0.0, 1.0);
}
