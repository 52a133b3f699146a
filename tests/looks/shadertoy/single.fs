/*{
    "DESCRIPTION": "A single file of Shadertoy: each channel in a column.",
    "CREDIT": "visualizer tests",
    "CHANNELS": ["sound", "dream", "noise", "self"],
    "INPUTS": [{"NAME": "strength", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1}]
}*/
void mainImage(out vec4 fragColor, in vec2 fragCoord)
{
    vec2 uv = fragCoord / iResolution.xy;
    int column = int(uv.x * 4.0);
    if (column == 0) fragColor = vec4(texture(iChannel0, vec2(0.5, uv.y < 0.5 ? 0.25 : 0.75)).x);
    if (column == 1) fragColor = texture(iChannel1, uv) * strength;
    if (column == 2) fragColor = vec4(iChannelResolution[2] / 256.0, 0.0);
    if (column == 3) fragColor = vec4(texture(iChannel3, uv).r + 1.0 / 255.0, iTime, float(iFrame) / 255.0, 0.0);
}
