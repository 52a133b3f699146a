/*{
    "DESCRIPTION": "Half of the picture, half of another one that a preset names.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "other", "TYPE": "image"}]
}*/
void main() {
    gl_FragColor = mix(IMG_THIS_PIXEL(inputImage), IMG_THIS_PIXEL(other), 0.5);
}
