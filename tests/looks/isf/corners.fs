/*{
    "DESCRIPTION": "A vertex shader of its own: it shrinks the picture, and hands places over in an array.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "INPUTS": [{"NAME": "shrink", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1}]
}*/
#if __VERSION__ <= 120
varying vec2 places[2];
#else
in vec2 places[2];
#endif
void main() {
    gl_FragColor = vec4(places[0].x, places[1].y, 1.0, 1.0);
}
