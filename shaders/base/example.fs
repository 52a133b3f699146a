/*{
    "DESCRIPTION": "The dream, enlarged by the bass and coloured by each kick, over its own fading trail.",
    "CREDIT": "",
    "ISFVSN": "2",
    "LISTENS": "kick, bass",
    "COSTS": "two passes; reads one picture of the dream and one of its own",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "zoom", "LABEL": "enlarged by the bass", "TYPE": "float", "DEFAULT": 0.08, "MIN": 0.0, "MAX": 0.5},
        {"NAME": "trail", "LABEL": "length of the trail", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.0, "MAX": 0.95},
        {"NAME": "tint", "LABEL": "colour of a kick", "TYPE": "color", "DEFAULT": [1.0, 0.55, 0.2, 1.0]}
    ],
    "PASSES": [
        {"TARGET": "kept", "PERSISTENT": true},
        {}
    ]
}*/

// The comment above must be JSON and come first. INPUTS are the look's parameters: a slider each in the panel, and
// `look.zoom` and so on for MIDI and OSC. This file is an ISF shader (https://isf.video); such files from elsewhere
// work as they are.
//
// inputImage is the picture before this look: the dream, or what the look before it has drawn.
// isf_FragNormCoord is the place in the picture, 0..1, (0, 0) is the bottom left corner. RENDERSIZE is its size in px,
// TIME are seconds of the sound, TIMEDELTA those since the last display frame.
//
// What is heard are numbers that need no declaration, 0..1: kick (1 at a kick, then falling), level, bass, mid, high,
// loudness, energy, snare, hat, beat_phase, bar_phase; and bpm, beat_number. dream(place, d) is the dream d deep; `depth`
// is how deep it is now.
//
// Save the file while it is shown: the picture follows. A mistake is shown with its line, and the last version that
// worked goes on. `visualizer looks check FOLDER` tests it.

void main() {
    if (PASSINDEX == 1) {
        // the last pass is what is seen: here the picture that is kept
        gl_FragColor = IMG_THIS_PIXEL(kept);
        return;
    }
    vec2 middle = vec2(0.5);
    vec2 place = middle + (isf_FragNormCoord - middle) * (1.0 - zoom * bass);
    vec3 now = IMG_NORM_PIXEL(inputImage, place).rgb;
    now = mix(now, now * tint.rgb * 1.6, 0.5 * kick);

    // "kept" is PERSISTENT: read here, it is what this pass drew in the display frame before. Raised to the time that
    // has passed, the trail has the same length at 30 and at 144 display frames a second.
    vec3 before = IMG_NORM_PIXEL(kept, isf_FragNormCoord).rgb;
    float stays = pow(trail, TIMEDELTA * 30.0);
    gl_FragColor = vec4(mix(now, max(now, before), stays * step(0.001, trail)), 1.0);
}
