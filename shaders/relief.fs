/*{
    "DESCRIPTION": "The dream as a relief: a light wanders over it, low with the bass, and snares and hats glint on its edges.",
    "CREDIT": "visualizer",
    "LISTENS": "bass, snares, hats; the light wanders without any sound",
    "COSTS": "two pictures of half the size, and two reads a pixel",
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "strength", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "strength",
         "DESCRIPTION": "how deep the relief is"},
        {"NAME": "gloss", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "gloss",
         "DESCRIPTION": "how bright it glints, at snares and hats most"},
        {"NAME": "dusk", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1, "LABEL": "dusk",
         "DESCRIPTION": "how dark it is far from the light"},
        {"NAME": "warmth", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "LABEL": "warmth",
         "DESCRIPTION": "colour of the light: 0 blue, 0.5 white, 1 amber"}
    ],
    "PASSES": [
        {"TARGET": "height", "WIDTH": "$WIDTH/2", "HEIGHT": "$HEIGHT/2"},
        {"TARGET": "slopes", "WIDTH": "$WIDTH/2", "HEIGHT": "$HEIGHT/2"},
        {}
    ]
}*/

const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);

float height_at(vec2 p) {
    return IMG_NORM_PIXEL(height, p).r;
}

// The slope at p, from places `reach` picture heights to each side.
vec2 slope(vec2 p, float reach) {
    vec2 x = vec2(reach * RENDERSIZE.y / RENDERSIZE.x, 0.0), y = vec2(0.0, reach);
    return vec2(height_at(p + x) - height_at(p - x), height_at(p + y) - height_at(p - y));
}

void main() {
    vec2 p = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        vec2 px = 0.75 / RENDERSIZE;
        vec3 sum = IMG_NORM_PIXEL(inputImage, p + px).rgb + IMG_NORM_PIXEL(inputImage, p - px).rgb
            + IMG_NORM_PIXEL(inputImage, p + vec2(px.x, -px.y)).rgb + IMG_NORM_PIXEL(inputImage, p + vec2(-px.x, px.y)).rgb;
        gl_FragColor = vec4(vec3(dot(sum, LUMA) / 4.0), 1.0);
        return;
    }
    if (PASSINDEX == 1) {
        // fine and broad figures together
        gl_FragColor = vec4(0.5 + 0.75 * slope(p, 0.003) + 0.5 * slope(p, 0.012), 0.0, 1.0);
        return;
    }
    vec3 c = IMG_THIS_NORM_PIXEL(inputImage).rgb;
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 lamp = 0.5 + vec2(0.36 * sin(TIME * 0.31), 0.3 * sin(TIME * 0.43 + 1.3));
    vec3 to_lamp = vec3((lamp - p) * aspect, 0.45 - 0.2 * bass);
    float near = 1.0 / (1.0 + 1.6 * dot(to_lamp.xy, to_lamp.xy));
    to_lamp = normalize(to_lamp);
    vec2 steep = 4.0 * strength * (IMG_NORM_PIXEL(slopes, p).xy - 0.5);
    vec3 normal = normalize(vec3(-steep, 1.0));
    float shade = dot(normal, to_lamp) / to_lamp.z;  // 1 where it is flat
    shade = shade > 1.0 ? 1.0 + 0.8 * (1.0 - exp(1.0 - shade)) : 0.2 + 0.8 * max(shade, 0.0);
    vec3 light = mix(vec3(0.75, 0.88, 1.2), vec3(1.2, 0.98, 0.72), warmth);
    vec3 half_way = normalize(to_lamp + vec3(0.0, 0.0, 1.0));
    float glint = max(dot(normal, half_way), 0.0);
    glint *= glint;
    glint *= glint;
    glint *= glint;
    glint *= glint * glint * glint * min(length(steep) * 1.5, 1.0);  // to the power of 32
    glint *= gloss * (0.25 + 0.75 * max(snare, 0.6 * hat)) * near;
    vec3 lit = c * mix(vec3(1.0), light, near) * mix(1.0, shade, 0.75) * mix(1.0, 1.25 * near, dusk);
    lit += light * glint * sqrt(dot(c, LUMA));  // black does not glint
    gl_FragColor = vec4(min(lit, 1.0), 1.0);
}
