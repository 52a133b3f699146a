/*{
    "DESCRIPTION": "Our own names: the dream, deeper to the right, on the kick; its own `bass` is not the music's.",
    "CREDIT": "visualizer tests", "ISFVSN": "2", "LISTENS": "kick", "COSTS": "one dream a pixel", "SCALE": 1.0,
    "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "mid", "TYPE": "float", "DEFAULT": 1}]
}*/
#define STRENGTH (kick * mid)
float bass = 0.5;
float high(float level) { return level; }
void main() {
    vec3 seen = dream(isf_FragNormCoord, isf_FragNormCoord.x < 0.5 ? depth : deepest);
    if (distance(dream(isf_FragNormCoord, depth, variant), IMG_THIS_PIXEL(inputImage).rgb) > 0.01) seen = vec3(0.0);
    gl_FragColor = vec4(seen * STRENGTH * bass * 2.0 * high(1.0), 1.0);
}
