#version 330 core
// A region of the picture in which N stations of a journey are seen: a frame between two rectangles, eight triangles.
uniform vec2 corners[8];      // of the outer rectangle in turn, then of the inner one; 0..1, (0, 0) is the top left corner
uniform mat3x2 matrices[N];   // from such places to places in the frames of each station
uniform mat3x2 within;        // the region is cut where it leaves this station's rectangle
uniform float limit;          // of this size: 1 is the station's own

out vec2 places[N];

void main() {
    vec3 corner = vec3(corners[(gl_VertexID & 1) * 4 + (gl_VertexID >> 1) % 4], 1.0);
    for (int index = 0; index < N; index++)
        places[index] = matrices[index] * corner;
    vec2 edge = 2.0 * (within * corner) - 1.0;
    gl_ClipDistance[0] = limit - edge.x;
    gl_ClipDistance[1] = limit + edge.x;
    gl_ClipDistance[2] = limit - edge.y;
    gl_ClipDistance[3] = limit + edge.y;
    gl_Position = vec4(2.0 * corner.x - 1.0, 1.0 - 2.0 * corner.y, 0.0, 1.0);
}
