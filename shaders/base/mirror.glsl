// A place outside the picture as its mirror image inside.
vec2 mirrored(vec2 p) {
    return 1.0 - abs(1.0 - mod(p, 2.0));
}
