#version 330 core
// Two triangles (a strip of four vertices) over the whole output.
out vec2 place;  // 0..1, its origin at the bottom left

void main() {
    place = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
    gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0);
}
