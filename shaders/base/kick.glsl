// 1 shortly after a kick, then falling: without a jump in the moment of the kick
float beat() {
    return 1.25 * (1.0 - exp(-kick_time_s / 0.03)) * exp(-kick_time_s / 0.16);
}
