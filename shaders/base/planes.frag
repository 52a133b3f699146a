#version 330 core
// RGB to Y, U and V in BT.709, limited range (ITU-R BT.709-6), for pictures of half as many U and V in each direction.
// A fragment makes 4 x 2 pixels at once: a software renderer takes a third as long as with one target of single bytes.
uniform sampler2D picture;  // sRGB, first row is the bottom one
uniform ivec2 last;         // the last column and row of the picture that are seen, from the top left
uniform int top;            // texel row of the picture's top row

layout(location = 0) out vec4 upper;   // Y of four pixels of an even row
layout(location = 1) out vec4 lower;   // of the row below it
layout(location = 2) out vec4 colour;  // U V U V of both rows

const vec3 R_G_B = vec3(0.2126, 0.7152, 0.0722);
const float LUMA = 219.0 / 255.0, BLACK = 16.0 / 255.0;
const float CHROMA = 224.0 / 255.0, GREY = 128.0 / 255.0;

vec3 at(int x, int y) {
    return texelFetch(picture, ivec2(clamp(x, 0, last.x), top - min(y, last.y)), 0).rgb;
}

float luma(vec3 rgb) {
    return dot(rgb, R_G_B) * LUMA + BLACK;
}

vec2 chroma(vec3 rgb) {
    float y = dot(rgb, R_G_B);
    return vec2((rgb.b - y) / 1.8556, (rgb.r - y) / 1.5748) * CHROMA + GREY;
}

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * ivec2(4, 2);
    int x = corner.x, y = corner.y;
    vec3 a = at(x, y), b = at(x + 1, y), c = at(x + 2, y), d = at(x + 3, y);
    upper = vec4(luma(a), luma(b), luma(c), luma(d));
    vec3 sides = at(x - 1, y) + at(x - 1, y + 1);
    vec3 e = at(x, y + 1), f = at(x + 1, y + 1), g = at(x + 2, y + 1), h = at(x + 3, y + 1);
    lower = vec4(luma(e), luma(f), luma(g), luma(h));
    // U and V lie on the left one of two pixels and between two rows, where players expect them in H.264: 1 2 1 by 1 1
    vec3 middle = b + f;
    colour = vec4(
        chroma((sides + 2.0 * (a + e) + middle) / 8.0), chroma((middle + 2.0 * (c + g) + d + h) / 8.0)
    );
}
