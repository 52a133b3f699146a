/*{
    "DESCRIPTION": "Passes of sizes of their own: the last one shows in columns how large the others were.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "INPUTS": [{"NAME": "parts", "TYPE": "float", "DEFAULT": 4, "MIN": 1, "MAX": 8}],
    "PASSES": [
        {"TARGET": "small", "WIDTH": "floor($WIDTH / $parts)", "HEIGHT": 2},
        {"TARGET": "smaller", "WIDTH": "max($WIDTH / 100.0, 1.0)", "HEIGHT": "1"},
        {}
    ]
}*/
void main() {
    if (PASSINDEX == 0) {
        gl_FragColor = vec4(RENDERSIZE / 255.0, 10.0 / 255.0, 1.0);
    } else if (PASSINDEX == 1) {
        gl_FragColor = vec4(IMG_SIZE(small) / 255.0, 20.0 / 255.0, 1.0);
    } else {
        int column = int(gl_FragCoord.x);
        gl_FragColor = column == 0 ? IMG_NORM_PIXEL(small, vec2(0.5)) : IMG_NORM_PIXEL(smaller, vec2(0.5));
        if (column == 2) gl_FragColor = vec4(IMG_SIZE(smaller) / 255.0, 0.0, 1.0);
    }
}
