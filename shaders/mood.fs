/*{
    "DESCRIPTION": "Colours by the mood of the last seconds: cool and still in quiet passages, warm and full in loud ones.",
    "CREDIT": "visualizer",
    "LISTENS": "energy, kicks, bass and highs, over several seconds",
    "COSTS": "one read of the picture a pixel",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "strength", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1, "LABEL": "strength",
         "DESCRIPTION": "how far the colours follow the mood"},
        {"NAME": "quiet", "TYPE": "color", "DEFAULT": [0.2, 0.45, 1.0, 1.0], "LABEL": "quiet",
         "DESCRIPTION": "tint of quiet passages"},
        {"NAME": "full", "TYPE": "color", "DEFAULT": [1.0, 0.5, 0.15, 1.0], "LABEL": "full",
         "DESCRIPTION": "tint of loud passages"},
        {"NAME": "seconds", "TYPE": "float", "DEFAULT": 4, "MIN": 0.5, "MAX": 20, "LABEL": "time, s",
         "DESCRIPTION": "time that the colours take to follow, seconds"}
    ],
    "PASSES": [
        {"TARGET": "mood", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
        {}
    ]
}*/

const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);

void main() {
    vec4 kept = IMG_NORM_PIXEL(mood, vec2(0.5));
    if (PASSINDEX == 0) {
        vec2 now = vec2(0.5 * energy + 0.5 * level, high / (high + bass + 0.05));
        float share = kept.a == 0.0 ? 1.0 : 1.0 - exp(-TIMEDELTA / seconds);  // alpha is 0 before the first display frame
        gl_FragColor = vec4(mix(kept.xy, now, share), 0.0, 1.0);
        return;
    }
    float drive = smoothstep(0.1, 0.6, kept.x);
    vec3 c = IMG_THIS_NORM_PIXEL(inputImage).rgb;
    float luma = dot(c, LUMA);
    // more colour and contrast the fuller the sound; black and white stay
    vec3 graded = mix(vec3(luma), c, mix(0.55, 1.25, drive));
    graded = mix(graded, graded * graded * (3.0 - 2.0 * graded), mix(0.0, 0.5, drive));
    // lights take the tint, shadows half of the other one: depth by colour; the brightness stays
    vec3 lit = mix(quiet.rgb, full.rgb, drive), shade = mix(full.rgb, quiet.rgb, mix(0.75, 0.9, drive));
    vec3 tint = mix(0.5 * (shade + dot(shade, LUMA)), lit, smoothstep(0.1, 0.7, luma));
    tint = mix(vec3(1.0), tint / max(dot(tint, LUMA), 0.05), 0.35);
    graded = max(graded * tint, 0.0);
    graded *= 1.0 + 0.12 * (kept.y - 0.4);
    gl_FragColor = vec4(mix(c, min(graded, 1.0), strength), 1.0);
}
