#version 330 core
// The look "crossfade": the dream at this depth, blended from the two baked dream frames around it.
//
// A look is one file in this folder, NAME.frag, chosen with `shader: NAME` in a preset. It is handed the following, and
// may leave out what it does not need:
//
//   uniform sampler2DArray frames;  the dream frames, layer k is depth k; smooth (linear) between pixels, clamped at edges;
//                                   further variants (other dreams of the image) follow behind the first
//   uniform sampler2DArray texels;  the same frames without smoothing: quicker where one frame pixel is one screen pixel
//   uniform float depth;            how deep to dream, never NaN: 0 .. the deepest that any variant goes
//   uniform float deepest;          the deepest layer of the first variant that may be read: the ones beyond are not baked yet
//   uniform float variant;          between which variants, 0 .. the number of variants - 1, never NaN
//   uniform vec2  variants[VARIANTS];   only where VARIANTS is defined (there is more than one variant): the layer at which each variant
//                                   begins, and how deep it goes
//   uniform vec2  frame_size;       width and height of a dream frame, px
//   uniform vec2  size;             width and height of the picture drawn, px
//   uniform float time_s;           time of this picture, seconds
//   in vec2 uv;                     where in the dream frame this pixel lies, 0..1, (0, 0) is the top left corner;
//                                   cover fit is done: the frame fills the picture and what does not fit is cut
//   in vec2 place;                  where in the picture this pixel lies, 0..1, (0, 0) is the top left corner
//
// and writes one colour, sRGB-coded as the frames are. `#include "base/dream.glsl"` declares the uniforms above and
//
//   vec3 dream(vec2 uv, float depth)              the dream there and that deep, crossed between the variants by `variant`, with
//                                                 the right smoothing for the picture's size
//   vec3 dream(vec2 uv, float depth, float variant)   the same at a variant of one's own choice
#include "base/dream.glsl"

in vec2 uv;
out vec4 colour;

void main() {
    colour = vec4(dream(uv, depth), 1.0);
}
