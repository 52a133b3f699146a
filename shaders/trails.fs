/*{
    "DESCRIPTION": "The figures leave trails that fly outwards, turn and change their colour; a kick feeds them.",
    "CREDIT": "visualizer",
    "LISTENS": "level of the kicks, loudness",
    "COSTS": "a picture of half the size that is kept, a small one, and three reads a pixel",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "strength", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0, "MAX": 1, "LABEL": "strength",
         "DESCRIPTION": "how dense the trails are"},
        {"NAME": "length_s", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.2, "MAX": 6, "LABEL": "length, s",
         "DESCRIPTION": "time after which a trail is a third as dense, seconds"},
        {"NAME": "speed", "TYPE": "float", "DEFAULT": 0.35, "MIN": -1, "MAX": 1, "LABEL": "speed",
         "DESCRIPTION": "how fast they fly outwards; inwards below 0"},
        {"NAME": "spin", "TYPE": "float", "DEFAULT": 0.15, "MIN": -1, "MAX": 1, "LABEL": "spin",
         "DESCRIPTION": "how fast they turn"},
        {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1, "LABEL": "hue",
         "DESCRIPTION": "how far their colour changes on the way"}
    ],
    "PASSES": [
        {"TARGET": "around", "WIDTH": "$WIDTH/16", "HEIGHT": "$HEIGHT/16"},
        {"TARGET": "trail", "PERSISTENT": true, "WIDTH": "$WIDTH/2", "HEIGHT": "$HEIGHT/2"},
        {}
    ]
}*/

// The trails move on in steps of this length at any frame rate: as often as they are moved, they lose sharpness.
const float STEP_S = 1.0 / 30.0;

// Where the light at p was some seconds before.
vec2 before(vec2 p, float seconds) {
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 centre = 0.5 + 0.08 * vec2(sin(TIME * 0.23), sin(TIME * 0.17 + 2.0));
    vec2 d = (p - centre) * aspect * exp(-0.5 * speed * seconds);
    float angle = -0.6 * spin * seconds;
    return centre + mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * d / aspect;
}

// The hue turned, the brightness kept. Rodrigues' rotation around grey.
vec3 hue_turned(vec3 c, float angle) {
    float cosine = cos(angle);
    vec3 grey = vec3(0.57735);
    return max(c * cosine + cross(grey, c) * sin(angle) + grey * dot(grey, c) * (1.0 - cosine), 0.0);
}

// The mean of 4 x 4 places around p; reach: from one to the next, as a share of the picture.
vec3 mean(vec2 p, vec2 reach) {
    vec3 sum = vec3(0.0);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++)
            sum += IMG_NORM_PIXEL(inputImage, p + (vec2(x, y) - 1.5) * reach).rgb;
    return sum / 16.0;
}

void main() {
    vec3 seen = IMG_THIS_NORM_PIXEL(inputImage).rgb;
    if (PASSINDEX == 0) {
        gl_FragColor = vec4(mean(isf_FragNormCoord, 0.7 / RENDERSIZE), 1.0);
    } else if (PASSINDEX == 1) {
        float n_steps = min(floor(TIME / STEP_S) - floor((TIME - TIMEDELTA) / STEP_S), 8.0);
        vec4 kept = IMG_PIXEL(trail, gl_FragCoord.xy);
        if (n_steps > 0.0) {
            float seconds = n_steps * STEP_S;
            kept = IMG_NORM_PIXEL(trail, before(isf_FragNormCoord, seconds)) * exp(-seconds / length_s);
            kept.rgb = hue_turned(kept.rgb, 2.0 * hue * seconds);
            kept = max(kept - n_steps * 0.6 / 255.0, 0.0);  // more than rounding could keep for ever
            // what stands out from its surroundings is laid over the trails
            vec3 edge = abs(seen - IMG_THIS_NORM_PIXEL(around).rgb);
            float fed = smoothstep(0.06, 0.3, max(max(edge.r, edge.g), edge.b)) * (0.15 + 0.85 * max(level, 0.5 * loudness));
            kept = vec4(seen, 1.0) * fed + kept * (1.0 - fed);
        }
        gl_FragColor = kept;
    } else {
        vec4 over = strength * IMG_NORM_PIXEL(trail, before(isf_FragNormCoord, mod(TIME, STEP_S)));
        gl_FragColor = vec4(seen * (1.0 - over.a) + over.rgb, 1.0);
    }
}
