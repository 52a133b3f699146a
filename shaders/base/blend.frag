#version 330 core
// Two pictures as one: what was before it, and a look of a chain, blended in one of these ways and mixed in.
// A, the colour below, and B, the colour above, are sRGB-coded, as in programs for pictures.
//   MODE 0 normal   1 add   2 screen   3 multiply   4 lighten   5 darken   6 difference   7 overlay
uniform sampler2D below;
uniform sampler2D above;
uniform float amount;  // 0 leaves the picture as it was before .. 1

in vec2 place;
out vec4 colour;

vec3 blended(vec3 a, vec3 b) {
#if MODE == 1
    return min(a + b, 1.0);
#elif MODE == 2
    return a + b - a * b;
#elif MODE == 3
    return a * b;
#elif MODE == 4
    return max(a, b);
#elif MODE == 5
    return min(a, b);
#elif MODE == 6
    return abs(a - b);
#elif MODE == 7
    return mix(2.0 * a * b, 1.0 - 2.0 * (1.0 - a) * (1.0 - b), step(0.5, a));
#else
    return b;
#endif
}

void main() {
    vec3 a = texture(below, place).rgb;
    colour = vec4(mix(a, blended(a, texture(above, place).rgb), amount), 1.0);
}
