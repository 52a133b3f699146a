/*{
    "DESCRIPTION": "Columns of the values of its inputs: one of each type that is a value.",
    "CREDIT": "visualizer tests", "ISFVSN": "2",
    "INPUTS": [
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0, "MAX": 1},
        {"NAME": "mirror", "TYPE": "bool", "DEFAULT": true},
        {"NAME": "mode", "TYPE": "long", "VALUES": [0, 3, 5], "LABELS": ["a", "b", "c"], "DEFAULT": 3},
        {"NAME": "place", "TYPE": "point2D", "DEFAULT": [64, 128], "MIN": [0, 0], "MAX": [255, 255]},
        {"NAME": "tint", "TYPE": "color", "DEFAULT": [0.2, 0.4, 0.6, 1]},
        {"NAME": "flash", "TYPE": "event"}
    ]
}*/
void main() {
    int column = int(gl_FragCoord.x);
    vec3 seen = vec3(0.0);
    if (column == 0) seen = vec3(amount);
    if (column == 1) seen = vec3(mirror);
    if (column == 2) seen = vec3(float(mode) / 255.0);
    if (column == 3) seen = vec3(place / 255.0, 0.0);
    if (column == 4) seen = tint.rgb;
    if (column == 5) seen = vec3(flash);
    gl_FragColor = vec4(seen, 1.0);
}
