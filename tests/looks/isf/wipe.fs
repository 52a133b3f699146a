/*{
    "DESCRIPTION": "A transition: the picture that ends leaves to the left.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "INPUTS": [
        {"NAME": "startImage", "TYPE": "image"},
        {"NAME": "endImage", "TYPE": "image"},
        {"NAME": "progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}
    ]
}*/
void main() {
    bool isGone = isf_FragNormCoord.x > 1.0 - progress;
    gl_FragColor = isGone ? IMG_THIS_PIXEL(endImage) : IMG_THIS_PIXEL(startImage);
}
