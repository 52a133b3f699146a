/*{
    "DESCRIPTION": "The samples of both channels above their bins, in as many columns as it asks for.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "INPUTS": [
        {"NAME": "samples", "TYPE": "audio", "MAX": 4},
        {"NAME": "bins", "TYPE": "audioFFT", "MAX": 8}
    ]
}*/
void main() {
    vec2 place = vec2(isf_FragNormCoord.x, isf_FragNormCoord.y < 0.5 ? 0.0 : 1.0);
    gl_FragColor = vec4(IMG_NORM_PIXEL(samples, place).r, IMG_NORM_PIXEL(bins, place).g, 0.0, 1.0);
    if (IMG_SIZE(samples) != vec2(4.0, 2.0) || IMG_SIZE(bins) != vec2(8.0, 2.0)) gl_FragColor.b = 1.0;
}
