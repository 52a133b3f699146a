// The dream as a function; docs/looks.md explains the uniforms.
//
// The program compiles a look several times, with one of these names defined where it applies:
//   EXACT    one frame pixel is one screen pixel: no smoothing needed, which is quicker and bit-exact
//   TAPS n   the picture is far smaller than the frames: n x n samples a pixel, so that it does not sparkle
//   VARIANTS n   there are n variants of dream frames, n > 1; ROWS n is the same, by its former name
//   JOURNEY n    the dream is made of up to n stations, each inside the one before
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

// How much of a station is seen at a place in it, 0..1: its edge is soft, and wavy, so that a picture that differs from
// what is around it is not seen as a rectangle. softness: 1 / width of the edge, of half its size.
// journey/edge.py computes the same.
float soft_edge(vec2 place, float softness) {
    vec2 inside = clamp((1.0 - abs(2.0 * place - 1.0)) * softness, 0.0, 1.0);
    // parabolas, since a sine costs a software driver nearly as much as reading the dream
    vec2 wave = 2.0 * fract(vec2(3.0, 2.5) * place.yx + vec2(1.3, 1.7) * place) - 1.0;
    inside += inside * (1.0 - inside) * 4.0 * wave * (1.0 - abs(wave));
    inside *= inside * (3.0 - 2.0 * inside);
    return inside.x * inside.y;
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
#elif defined(JOURNEY)
// Of each station, the innermost first; the weight of those that are missing is 0:
//   u = x with (uv, 1), weight    v = y with (uv, 1), width of the soft edge    first layer, deepest, factor of the depth
uniform vec4 stations[3 * JOURNEY];

vec3 dream(vec2 uv, float depth) {
    vec3 sum = vec3(0.0);
    float left = 1.0;  // of the pixel, for the stations around
    for (int index = 0; index < JOURNEY; index++) {
        vec4 x = stations[3 * index], y = stations[3 * index + 1], layers = stations[3 * index + 2];
        if (x.w <= 0.0)
            break;
        vec2 place = vec2(dot(x.xyz, vec3(uv, 1.0)), dot(y.xyz, vec3(uv, 1.0)));
        float share = left * x.w;
        if (y.w > 0.0)
            share *= soft_edge(place, 1.0 / y.w);
        if (share > 1.0 / 1024.0) {  // what is not seen costs nothing
            float here = min(depth * layers.z, layers.y);
            float lower = floor(here);
            float first = layers.x + lower, second = layers.x + min(lower + 1.0, layers.y);
            sum += share * mix(dream_frame(place, first), dream_frame(place, second), here - lower);
            left -= share;
        }
        if (left < 1.0 / 1024.0)
            break;
    }
    return sum / max(1.0 - left, 1e-6);
}

vec3 dream(vec2 uv, float depth, float variant) {
    return dream(uv, depth);
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
