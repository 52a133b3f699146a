#version 330 core
// Each pixel is the mean of factor x factor pixels of a larger picture, in linear light: in sRGB, fine bright details on
// black would become too dark. IEC 61966-2-1 has the curve.
uniform sampler2D picture;
uniform int factor;

out vec4 colour;

vec3 linear(vec3 srgb) {
    return mix(pow((srgb + 0.055) / 1.055, vec3(2.4)), srgb / 12.92, lessThanEqual(srgb, vec3(0.04045)));
}

vec3 srgb(vec3 light) {
    return mix(1.055 * pow(light, vec3(1.0 / 2.4)) - 0.055, light * 12.92, lessThanEqual(light, vec3(0.0031308)));
}

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * factor;
    vec3 sum = vec3(0.0);
    for (int y = 0; y < factor; y++)
        for (int x = 0; x < factor; x++)
            sum += linear(texelFetch(picture, corner + ivec2(x, y), 0).rgb);
    colour = vec4(srgb(sum / float(factor * factor)), 1.0);
}
