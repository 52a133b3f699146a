// dream() for looks in the ISF and Shadertoy formats: its place is one of the picture, 0..1, (0, 0) is the bottom left
// corner.
#define dream dream_in_frame
#include "base/dream.glsl"
#undef dream
uniform vec2 cover_origin;  // the part of the frame that is seen: its top left corner, 0..1
uniform vec2 cover_extent;  // and its width and height, 0..1

vec3 dream(vec2 place, float depth) {
    return dream_in_frame(cover_origin + vec2(place.x, 1.0 - place.y) * cover_extent, depth);
}

vec3 dream(vec2 place, float depth, float variant) {
    return dream_in_frame(cover_origin + vec2(place.x, 1.0 - place.y) * cover_extent, depth, variant);
}
