"""The textures that a look reads besides the dream and its own targets: pictures, cubes, sound and noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput
from ..looks.look import Look
from ..looks.program import TextureRef
from ..oneline import plain, reason_of

if TYPE_CHECKING:
    import moderngl

#: a picture is made smaller until no side is longer, px
MAX_PX = 4096
#: pictures of more pixels are not opened
MAX_FILE_PIXELS = 100_000_000
#: Pillow would start another program for some of the others
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TGA", "TIFF", "WEBP")
NOISE_PX, NOISE_SEED = 256, 20_201
_SOUNDS = ("audio", "audioFFT", "spectrum", "waveform", "shadertoy_sound")


def sound_name(ref: TextureRef) -> str:
    """The name of the sound that a texture holds, for `Picture.needs` and among the values that are drawn with:
    "spectrum", "waveform", "shadertoy_sound", or "audio:N" and "audioFFT:N" of N columns; "" for a texture of another
    kind.
    """
    if ref.source not in _SOUNDS:
        return ""
    return f"{ref.source}:{ref.columns}" if ref.source in ("audio", "audioFFT") else ref.source


class LookTextures:
    """The textures of a look that are not drawn.

    ctx: the context of the Surface. Raises BadInput for a picture that cannot be read.
    """

    def __init__(self, ctx: moderngl.Context, look: Look) -> None:
        self._ctx, self._look = ctx, look
        self._sounds: dict[str, moderngl.Texture] = {}
        self._made: dict[TextureRef, moderngl.Texture | moderngl.TextureCube] = {}
        self.black = ctx.texture((1, 1), 4, bytes(4))
        self._made[TextureRef("black")] = self.black
        try:
            for program in look.programs:
                for ref in program.textures.values():
                    self._make(ref)
        except BaseException:
            self.release()
            raise

    def get(self, ref: TextureRef) -> moderngl.Texture | moderngl.TextureCube:
        """The texture that is read: transparent black where there is none."""
        if name := sound_name(ref):
            return self._sounds.get(name, self.black)
        return self._made.get(_key(ref), self.black)

    def update_sounds(self, refs: Iterable[TextureRef], values: Mapping[str, Any]) -> None:
        """Bring these textures of sound up to date. values: by `sound_name`, (columns,) or (rows, columns) float32;
        None or missing: silence.
        """
        for ref in refs:
            name = sound_name(ref)
            self._update_sound(name, ref, values.get(name))

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        for texture in (*self._made.values(), *self._sounds.values()):
            texture.release()
        self._made.clear()
        self._sounds.clear()

    def _update_sound(self, name: str, ref: TextureRef, sound: np.ndarray | None) -> None:
        data = np.atleast_2d(np.ascontiguousarray(_silence(ref) if sound is None else sound, np.float32))
        size = data.shape[1], data.shape[0]
        texture = self._sounds.get(name)
        if texture is None or texture.size != size:
            if texture is not None:
                texture.release()
            texture = self._sounds[name] = self._ctx.texture(size, 1, dtype="f4")
            if ref.source not in ("spectrum", "waveform"):
                texture.swizzle = "RRR1"
        texture.write(data)

    def _make(self, ref: TextureRef) -> None:
        if (key := _key(ref)) in self._made:
            return
        imported = self._look.declaration.imported
        if ref.source == "noise":
            self._made[key] = self._texture(noise_of(ref.columns or NOISE_PX, is_grey=ref.name == "grey"), ref)
        elif ref.source in ("file", "input") and ref.name in imported:
            self._made[key] = self._texture(read_picture(imported[ref.name][0], f"look {plain(self._look.name)}"), ref)
        elif ref.source == "cube" and len(imported.get(ref.name, ())) == 6:
            self._made[key] = self._cube(imported[ref.name])

    def _texture(self, pixels: np.ndarray, ref: TextureRef) -> moderngl.Texture:
        """pixels: (H, W, 4) uint8, top row first."""
        # OpenGL's first row is the bottom one
        rows = pixels if ref.is_top_first else pixels[::-1]
        texture = self._ctx.texture((pixels.shape[1], pixels.shape[0]), 4, rows.tobytes())
        make_mipmaps(texture)
        return texture

    def _cube(self, paths: tuple[Path, ...]) -> moderngl.TextureCube:
        faces = [read_picture(path, f"look {plain(self._look.name)}") for path in paths]
        side = faces[0].shape[0]
        for path, face in zip(paths, faces, strict=True):
            if face.shape != (side, side, 4):
                raise BadInput(
                    f"look {plain(self._look.name)}: the picture {plain(path)} is {face.shape[1]}x{face.shape[0]} px; the "
                    f"six of a cube must be squares of one size"
                )
        # the faces of a cube have their first row at the top
        return self._ctx.texture_cube((side, side), 4, b"".join(face.tobytes() for face in faces))


def make_mipmaps(texture: moderngl.Texture | moderngl.TextureArray | moderngl.TextureCube) -> None:
    """Make the smaller versions of a texture, which a sampler may choose among. Without one it is read as before."""
    import moderngl

    texture.build_mipmaps()  # this sets the texture's own filter, too
    texture.filter = (moderngl.LINEAR, moderngl.LINEAR)


def _key(ref: TextureRef) -> TextureRef:
    """What textures that hold the same have in common, however they are sampled."""
    return replace(ref, wrap="clamp", filter="linear")


def noise_of(size_px: int, *, is_grey: bool) -> np.ndarray:
    """Seeded noise: (size_px, size_px, 4) uint8, top row first. Grey is opaque.

    Green and alpha are red and blue, moved by 37 px to the right and 17 down, as in Shadertoy's own noise: shaders
    interpolate between them for noise of three dimensions.
    """
    noise = np.random.default_rng(NOISE_SEED).integers(0, 256, (size_px, size_px, 2), np.uint8)
    if is_grey:
        grey = noise[..., :1]
        return np.concatenate([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
    moved = np.roll(noise, (17, 37), axis=(0, 1))
    return np.stack([noise[..., 0], moved[..., 0], noise[..., 1], moved[..., 1]], axis=-1)


def _silence(ref: TextureRef) -> np.ndarray:
    """What a texture of sound holds while nothing is heard."""
    if ref.source in ("spectrum", "waveform"):
        return np.zeros(512, np.float32)
    silence = np.full((2, ref.columns or 512), 0.5 if ref.source == "audio" else 0.0, np.float32)
    if ref.source == "shadertoy_sound":
        silence[1] = 128 / 255
    return silence


def read_picture(path: Path, what: str) -> np.ndarray:
    """A picture file as (H, W, 4) uint8, red, green, blue and alpha, top row first; smaller where it is larger than
    MAX_PX. what: whose it is, for messages. Raises BadInput.
    """
    from PIL import Image, ImageOps

    try:
        if not path.is_file():  # reading a pipe would wait for ever
            raise BadInput(f"{what}: the picture {plain(path)} is missing")
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.width * opened.height > MAX_FILE_PIXELS:
                raise BadInput(
                    f"{what}: the picture {plain(path)} has {opened.width}x{opened.height} px, too many; make it smaller"
                )
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
        picture.thumbnail((MAX_PX, MAX_PX))
        return np.asarray(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:  # what PIL raises for bad files
        raise BadInput(f"{what}: the picture {plain(path)} cannot be read: {reason_of(fault)}") from fault
