/*{
    "DESCRIPTION": "A kept target of floats, read before it is drawn again: it counts display frames, and begins black.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "PASSES": [{"TARGET": "count", "PERSISTENT": true, "FLOAT": true, "WIDTH": 1, "HEIGHT": 1}, {}]
}*/
void main() {
    vec4 before = IMG_NORM_PIXEL(count, vec2(0.5));
    if (PASSINDEX == 0) {
        gl_FragColor = vec4(before.r + 300.0, float(FRAMEINDEX), before.b + TIMEDELTA, 1.0);
    } else {
        gl_FragColor = vec4(before.r / 300.0 / 255.0, before.g / 255.0, before.b / 255.0, 1.0);
    }
}
