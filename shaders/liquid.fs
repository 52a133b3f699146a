/*{
    "DESCRIPTION": "The dream melts: it flows along the outlines of its own figures, wider with the mids.",
    "CREDIT": "visualizer",
    "LISTENS": "mids, bass; flows without any sound",
    "COSTS": "two small pictures, and five reads a pixel",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "strength", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "strength",
         "DESCRIPTION": "how far the picture flows"},
        {"NAME": "period_s", "TYPE": "float", "DEFAULT": 3.5, "MIN": 1, "MAX": 12, "LABEL": "period, s",
         "DESCRIPTION": "time in which it flows once as far, seconds"},
        {"NAME": "swirl", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0, "MAX": 1, "LABEL": "swirl",
         "DESCRIPTION": "1: around the figures, 0: from bright to dark"}
    ],
    "PASSES": [
        {"TARGET": "height", "WIDTH": "$WIDTH/8", "HEIGHT": "$HEIGHT/8"},
        {"TARGET": "flow", "WIDTH": "$WIDTH/8", "HEIGHT": "$HEIGHT/8"},
        {}
    ]
}*/

// Brightness of the mean of 4 x 4 places around p; reach: from one to the next, as a share of the picture.
float brightness(vec2 p, vec2 reach) {
    vec3 sum = vec3(0.0);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++)
            sum += IMG_NORM_PIXEL(inputImage, p + (vec2(x, y) - 1.5) * reach).rgb;
    return dot(sum, vec3(0.2126, 0.7152, 0.0722)) / 16.0;
}

// The height at a place, smoothed.
float height_at(vec2 p) {
    vec2 px = 1.5 / RENDERSIZE;
    return 0.25 * (IMG_NORM_PIXEL(height, p + px * vec2(1.0, 1.0)).r + IMG_NORM_PIXEL(height, p + px * vec2(-1.0, 1.0)).r
        + IMG_NORM_PIXEL(height, p + px * vec2(1.0, -1.0)).r + IMG_NORM_PIXEL(height, p - px).r);
}

// The direction of the flow at a place, -1..1.
vec2 flow_at(vec2 p) {
    return 2.0 * IMG_NORM_PIXEL(flow, p).xy - 1.0;
}

void main() {
    vec2 p = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = vec4(vec3(brightness(p, 0.25 / RENDERSIZE)), 1.0);
    } else if (PASSINDEX == 1) {
        vec2 px = 3.0 / RENDERSIZE;
        vec2 slope = vec2(height_at(p + vec2(px.x, 0.0)) - height_at(p - vec2(px.x, 0.0)),
            height_at(p + vec2(0.0, px.y)) - height_at(p - vec2(0.0, px.y)));
        // around the figures, or down their slopes; which way changes slowly, so that it is never the same again
        float angle = mix(3.1416, 1.5708, swirl) + 0.7 * sin(TIME * 0.13);
        vec2 along = mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * slope;
        // as fast on gentle slopes as on steep ones, but still where it is flat
        gl_FragColor = vec4(0.5 + 0.5 * along / (length(along) + 0.05), height_at(p), 1.0);
    } else {
        // two pictures half a period apart, each blended out before it has flowed too far and begins again: at another
        // time in the light than in the dark, so that it is not seen
        vec4 here = IMG_NORM_PIXEL(flow, p);
        float first = fract(TIME / period_s + 0.7 * here.z), second = fract(first + 0.5);
        vec2 whole = vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0) * strength * (0.09 + 0.09 * mid + 0.03 * bass);
        vec2 way = whole * (2.0 * here.xy - 1.0) * 0.5;
        vec3 a = IMG_NORM_PIXEL(inputImage, p - (first - 0.5) * (way + 0.5 * whole * flow_at(p - (first - 0.5) * way))).rgb;
        vec3 b = IMG_NORM_PIXEL(inputImage, p - (second - 0.5) * (way + 0.5 * whole * flow_at(p - (second - 0.5) * way))).rgb;
        gl_FragColor = vec4(mix(a, b, smoothstep(0.0, 1.0, abs(2.0 * first - 1.0))), 1.0);
    }
}
