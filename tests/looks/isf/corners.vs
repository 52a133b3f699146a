#if __VERSION__ <= 120
varying vec2 places[2];
#else
out vec2 places[2];
#endif
void main() {
    isf_vertShaderInit();
    gl_Position.xy *= shrink;
    places[0] = isf_FragNormCoord;
    places[1] = 1.0 - isf_FragNormCoord;
}
