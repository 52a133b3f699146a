#version 330 core
// The journey as the plain look shows it, in a region in which N stations are seen, the innermost first.
#include "base/dream.glsl"

uniform vec4 blends[N];     // of each station: two layers, the share of the second, and how much of the station is there
uniform float softness[N];  // 1 / width of its soft edge

in vec2 places[N];
out vec4 colour;

vec3 station(int index) {
    vec3 blend = blends[index].xyz;
    return mix(dream_frame(places[index], blend.x), dream_frame(places[index], blend.y), blend.z);
}

void main() {
    vec3 sum = station(N - 1);
    for (int index = N - 2; index >= 0; index--) {
        sum = mix(sum, station(index), blends[index].w * soft_edge(places[index], softness[index]));
    }
    colour = vec4(sum, 1.0);
}
