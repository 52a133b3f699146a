/*{
    "DESCRIPTION": "All the ways to read a picture: the picture where they agree, else black.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]
}*/
void main() {
    vec2 place = isf_FragNormCoord;
    vec4 seen = IMG_NORM_PIXEL(inputImage, place);
    vec4 worst = abs(seen - IMG_PIXEL(inputImage, place * IMG_SIZE(inputImage)));
    worst = max(worst, abs(seen - IMG_PIXEL(inputImage, gl_FragCoord.xy, 0.0)));
    worst = max(worst, abs(seen - IMG_THIS_PIXEL(inputImage)));
    worst = max(worst, abs(seen - IMG_THIS_NORM_PIXEL(inputImage)));
    worst = max(worst, abs(seen - IMG_NORM_THIS_PIXEL(inputImage)));
    bool isWhole = _inputImage_imgRect == vec4(0.0, 0.0, 1.0, 1.0) && _inputImage_imgSize == RENDERSIZE;
    if (max(max(worst.r, worst.g), worst.b) > 0.004 || !isWhole || _inputImage_flip)
        seen = vec4(0.0, 0.0, 0.0, 1.0);
    gl_FragColor = seen;
}
