/*{
    "DESCRIPTION": "The dream is enlarged with the bass, a kick sends a ripple through it, and a snare lights its edges.",
    "LISTENS": "bass, kicks, snares; breathes a little without any sound",
    "COSTS": "four reads of the dream a pixel",
    "INPUTS": [
        {"NAME": "zoom", "TYPE": "float", "DEFAULT": 0.06, "MIN": 0, "MAX": 0.2, "LABEL": "zoom",
         "DESCRIPTION": "how much the picture is enlarged with the bass"},
        {"NAME": "ripple", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "ripple",
         "DESCRIPTION": "strength of the ring that a kick sends outwards"},
        {"NAME": "glint", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "glint",
         "DESCRIPTION": "light on the edges at a snare"}
    ]
}*/
#version 330 core
// Pixels are moved here, so they need smoothing even where a frame pixel is as large as a screen pixel.
#undef EXACT
#include "base/dream.glsl"
#include "base/music.glsl"

in vec2 uv;
out vec4 colour;

const float BREATH_S = 13.0;   // period of the slow zoom, which needs no sound
const float SPEED = 0.9;       // of the ring, picture heights a second
const float WIDTH = 0.22;      // of the ring, picture heights
const float PARTING = 0.35;    // of the colours, of the way that the ring moves a pixel
const float EDGE = 0.0022;     // width of the lit edges, picture heights

// How far the ring moves a pixel outwards, picture heights. distance: from the centre, picture heights.
float ring(float distance) {
    float behind = clamp((distance - kick_time_s * SPEED) / WIDTH, -1.0, 1.0);
    float bump = 1.0 - behind * behind;
    return 0.1 * ripple * exp2(-4.0 * kick_time_s) * min(distance * 6.0, 1.0) * behind * bump * bump;
}

void main() {
    vec2 aspect = vec2(frame_size.x / frame_size.y, 1.0);
    float breath = 0.5 - 0.5 * cos(6.2831853 * time_s / BREATH_S);
    vec2 from_centre = (uv - 0.5) * (1.0 - zoom * (0.4 * breath + 0.6 * bass));
    float distance = length(from_centre * aspect);
    vec2 outwards = from_centre / max(distance, 0.001);
    float moved = ring(distance);
    vec2 here = 0.5 + from_centre - outwards * moved;
    vec3 seen = dream(here, depth);
    // a second look a little further out: where the ring passes red and blue part, at a snare edges are lit from the centre
    vec3 beside = dream(here + outwards * (PARTING * moved + EDGE * snare), depth);
    vec3 change = beside - seen;
    float edge = max(dot(change, vec3(-0.3, -0.6, -0.1)), 0.0);
    seen += change * vec3(1.0, 0.0, -1.0) * min(abs(moved) * 200.0, 1.0);
    seen += (1.0 - seen) * min(edge * 8.0 * snare * glint, 1.0);
    colour = vec4(seen, 1.0);
}
