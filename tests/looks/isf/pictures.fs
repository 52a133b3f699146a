/*{
    "DESCRIPTION": "Pictures that come with the look: one, and a cube of six.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "IMPORTED": {
        "grain": {"PATH": "grain.png"},
        "sky": {"TYPE": "cube", "PATH": ["right.png", "left.png", "top.png", "bottom.png", "front.png", "back.png"]}
    }
}*/
void main() {
    if (isf_FragNormCoord.y < 0.5) {
        gl_FragColor = IMG_NORM_PIXEL(grain, vec2(isf_FragNormCoord.x, isf_FragNormCoord.y * 2.0));
        return;
    }
    int column = int(isf_FragNormCoord.x * 6.0);
    vec3 direction = vec3(0.0);
    direction[column / 2] = column % 2 == 0 ? 1.0 : -1.0;
    gl_FragColor = IMG_NORM_PIXEL(sky, direction);
}
