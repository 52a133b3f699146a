#version 330 core
// A panel of text, pixel for pixel: the viewport is exactly as large as the panel.
uniform sampler2D panel;      // premultiplied alpha, first row is the top one
uniform vec2 panel_corner;    // lower left corner of the panel in the picture, px
uniform float panel_height;   // px

out vec4 colour;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy - panel_corner);
    colour = texelFetch(panel, ivec2(pixel.x, int(panel_height) - 1 - pixel.y), 0);
}
