"""The least program that turns a kick into light: what the whole visualizer's delay is measured against.

A PyAudio callback that takes an FFT and a threshold, a crossfade of 20 grey pictures at 1280x720, swap, paced at 60. No
tempo, no network, no HUD, no errors handled: what anybody would write in an afternoon.

python -m benchmarks.minimal_live [INPUT]
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import numpy as np

SIZE = (1280, 720)
N_DEPTHS = 20
RATE_HZ, N_BLOCK, N_FFT = 48_000, 256, 1024
LOW_HZ, HIGH_HZ = 30, 130
THRESHOLD, LEAST = 1.5, 1e-3
DECAY = 0.93

VERTEX = """
#version 330 core
out vec2 uv;
void main() {
    uv = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
    gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}
"""
FRAGMENT = """
#version 330 core
uniform sampler2DArray frames;
uniform float depth;
in vec2 uv;
out vec4 colour;
void main() {
    float lower = floor(depth);
    colour = vec4(mix(texture(frames, vec3(uv, lower)).rgb, texture(frames, vec3(uv, lower + 1.0)).rgb, depth - lower), 1.0);
}
"""


class KickDetector:
    """Detects kicks in PyAudio's callback."""

    def __init__(self) -> None:
        self.kick_s = -1e9
        self._sound = np.zeros(N_FFT, np.float32)
        self._recent = np.zeros(RATE_HZ // N_BLOCK)  # energies of the last second
        hz = np.fft.rfftfreq(N_FFT, 1 / RATE_HZ)
        self._band = (hz >= LOW_HZ) & (hz <= HIGH_HZ)

    def callback(self, data: bytes, n_samples: int, _times: Any, _status: int) -> tuple[None, int]:
        self._sound = np.concatenate([self._sound[n_samples:], np.frombuffer(data, np.float32)])
        energy = float((np.abs(np.fft.rfft(self._sound)[self._band]) ** 2).sum()) / N_FFT
        now_s = time.monotonic()
        if energy > max(LEAST, THRESHOLD * self._recent.mean()) and now_s - self.kick_s > 0.25:
            self.kick_s = now_s
        self._recent = np.append(self._recent[1:], energy)
        return None, 0


def main() -> None:
    """Show it until it is killed."""
    import glfw
    import moderngl
    import pyaudio

    detector = KickDetector()
    if len(sys.argv) > 1:
        os.environ["PULSE_SOURCE"] = sys.argv[1]
    audio = pyaudio.PyAudio()
    stream = audio.open(
        RATE_HZ, 1, pyaudio.paFloat32, input=True, frames_per_buffer=N_BLOCK, stream_callback=detector.callback
    )
    glfw.init()
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    window = glfw.create_window(*SIZE, "minimal", None, None)
    glfw.make_context_current(window)
    glfw.swap_interval(1)
    ctx = moderngl.create_context()
    frames = ctx.texture_array((*SIZE, N_DEPTHS + 1), 3)
    for depth in range(N_DEPTHS + 1):
        grey = np.full((SIZE[1], SIZE[0], 3), round(255 * depth / N_DEPTHS), np.uint8)
        frames.write(grey, (0, 0, depth, *SIZE, 1))
    program = ctx.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
    triangle = ctx.vertex_array(program, [])
    frames.use(0)
    deadline_s = time.monotonic()
    while not glfw.window_should_close(window) and stream.is_active():
        deadline_s = max(deadline_s + 1 / 60, time.monotonic())
        time.sleep(max(0.0, deadline_s - time.monotonic()))
        level = DECAY ** (30 * (time.monotonic() - detector.kick_s))
        program["depth"] = min(1 + (N_DEPTHS - 1) * level, N_DEPTHS - 1e-3)
        triangle.render(vertices=3)
        glfw.swap_buffers(window)
        glfw.poll_events()


if __name__ == "__main__":
    main()
