varying vec2 moved;
void main(void) {
    vv_vertShaderInit();
    moved = vv_FragNormCoord;
}
