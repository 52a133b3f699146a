/*{
    "DESCRIPTION": "Version 1 of the format, and GLSL 1.20: adds a tenth of the picture to a kept buffer.",
    "CREDIT": "visualizer tests",
    "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}],
    "PERSISTENT_BUFFERS": {"sum": {"WIDTH": "$WIDTH", "HEIGHT": "$HEIGHT", "FLOAT": true}},
    "PASSES": [{"TARGET": "sum"}, {}]
}*/
#version 120
#extension GL_EXT_gpu_shader4 : require
varying vec2 moved;
void main() {
    vec4 before = texture2D(sum, vv_FragNormCoord);
    gl_FragColor = PASSINDEX == 0 ? before + IMG_NORM_PIXEL(inputImage, moved) / 10.0 : vec4(before.rgb, 1.0);
}
