// The dream as a function; docs/looks.md explains the uniforms.
//
// The program compiles a look several times, with one of these names defined where it applies:
//   EXACT    one frame pixel is one screen pixel: no smoothing needed, which is quicker and bit-exact
//   TAPS n   the picture is far smaller than the frames: n x n samples a pixel, so that it does not sparkle
//   VARIANTS n   there are n variants of dream frames, n > 1; ROWS n is the same, by its former name
uniform sampler2DArray frames;
uniform sampler2DArray texels;
uniform float depth;
uniform float deepest;
uniform float variant;
uniform float row;  // the former name of variant
uniform vec2 frame_size;
uniform vec2 size;
uniform float time_s;

vec3 dream_frame(vec2 uv, float layer) {
    // textureLod: there are no mipmaps to choose from, and asking which one costs time in software drivers
#if defined(EXACT)
    return textureLod(texels, vec3(uv, layer), 0.0).rgb;
#elif defined(TAPS)
    // the box of the frame that one pixel of the picture covers
    vec2 box = vec2(max(size.x / frame_size.x, size.y / frame_size.y)) * frame_size;
    vec3 sum = vec3(0.0);
    for (int y = 0; y < TAPS; y++)
        for (int x = 0; x < TAPS; x++)
            sum += textureLod(frames, vec3(uv + ((vec2(x, y) + 0.5) / float(TAPS) - 0.5) / box, layer), 0.0).rgb;
    return sum / float(TAPS * TAPS);
#else
    return textureLod(frames, vec3(uv, layer), 0.0).rgb;
#endif
}

#if defined(VARIANTS)
uniform vec2 variants[VARIANTS];  // of each: the layer at which it begins, and how deep it goes
uniform vec2 rows[VARIANTS];      // the former name of variants

vec3 dream_variant(vec2 uv, float depth, int index) {
    float first = variants[index].x, deepest_here = variants[index].y;
    float here = min(depth, deepest_here);
    float lower = floor(here);
    return mix(
        dream_frame(uv, first + lower), dream_frame(uv, first + min(lower + 1.0, deepest_here)), here - lower
    );
}

#define dream_row dream_variant  // the former name

vec3 dream(vec2 uv, float depth, float variant) {
    float place = clamp(variant, 0.0, float(VARIANTS - 1));
    float lower = floor(place);
    vec3 colour = dream_variant(uv, depth, int(lower));
    // at a whole variant this costs no more than where there is only one
    if (place > lower)
        colour = mix(colour, dream_variant(uv, depth, int(lower) + 1), place - lower);
    return colour;
}

vec3 dream(vec2 uv, float depth) {
    return dream(uv, depth, variant);
}
#else
vec3 dream(vec2 uv, float depth) {
    float lower = floor(depth);
    return mix(dream_frame(uv, lower), dream_frame(uv, min(lower + 1.0, deepest)), depth - lower);
}

vec3 dream(vec2 uv, float depth, float variant) {
    return dream(uv, depth);
}
#endif
