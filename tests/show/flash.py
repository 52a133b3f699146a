"""A preset that flashes at what a test waits for, and when its flashes are seen in a video."""

from __future__ import annotations

import av
from PIL import Image

from visualizer.presets.loaded import open_preset

SIZE = (160, 96)


def flashes(tmp_path, condition):
    """A preset whose look is white while the condition holds, and black otherwise; 160x96 px."""
    folder = tmp_path / "flash"
    folder.mkdir()
    (folder / "preset.yaml").write_text(
        "title: Flash\nimage: image.png\nrender: {shader: flash}\n"
        "dream: {layer: block2.expand, n_depths: 1, n_octaves: 1, steps_per_depth: 1}\n"
    )
    Image.new("RGB", SIZE, (90, 120, 60)).save(folder / "image.png")
    (folder / "flash.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\n#include "base/music.glsl"\nout vec4 colour;\n'
        f"void main() {{ colour = vec4(vec3({condition} ? 1.0 : 0.0), 1.0); }}\n"
    )
    return open_preset(str(folder), size=SIZE)


def flash_times(path):
    """When each white display frame of a video begins, seconds."""
    with av.open(str(path)) as video:
        return [
            float(frame.pts * frame.time_base)
            for frame in video.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 128
        ]
