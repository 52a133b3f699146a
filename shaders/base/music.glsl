// What is heard of the music at this instant; docs/looks.md explains each.
uniform float level;
uniform float kick;
uniform float kick_time_s;
uniform float snare;
uniform float hat;
uniform float bass;
uniform float mid;
uniform float high;
uniform float energy;
uniform float loudness;
uniform float bpm;
uniform float confidence;
uniform float beat_phase;
uniform float bar_phase;
uniform float beat_number;
uniform sampler2D spectrum;
uniform sampler2D waveform;
