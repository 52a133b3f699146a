"""Reading a picture file as the image a dream starts from: sRGB, upright, opaque, of exactly the size asked for."""

from __future__ import annotations

import io
import logging
import math
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..errors import BadInput
from ..oneline import plain, reason_of

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 250_000_000  # a 200-megapixel phone picture fits; decoding one of these takes about 1 GB

# Only raster formats decoded in this process: Pillow would start Ghostscript for an EPS.
_FORMATS = (
    *("AVIF", "BMP", "DIB", "DDS", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD"),
    *("QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
_TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270"} | {
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_ORIENTATION = 0x0112  # EXIF tag
#: which part of a picture that is too tall is kept, 0..1 from top to bottom: above the middle, where faces are
KEPT_DOWN = 1 / 3

# What counts as dark, of 255, and the fraction of a picture that must be brighter for it not to be nearly black.
_DARK, _VISIBLE_FRACTION = 32, 0.005
# The same for a drawing on transparency, by its luma (navy and #333 have no contrast with black) unless it is
# saturated; and the fraction of a picture up to which the opaque part counts as a drawing, whose background may be
# chosen.
_DARK_INK, _VIVID, _VISIBLE_INK_FRACTION, _DRAWING_FRACTION = 55, 192, 0.15, 0.7
# The usual levels of white: floating point, 8, 10, 12, 14 and 16 bits.
_WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_MAX_SAMPLES = 1_000_000  # levels that a percentile is computed of

_pillow_limit = threading.Lock()

log = logging.getLogger(__name__)


def load_image(path: Path | str, size: tuple[int, int], *, say: Callable[[str], None] = log.warning) -> np.ndarray:
    """The picture in the file `path`, scaled and cropped to size = (width, height) px -> (height, width, 3) uint8 sRGB.

    Where the shapes differ the middle of a wide picture is kept, and of a tall one what lies a little above it, where
    faces are; it is never stretched. EXIF orientation is applied, an ICC profile converted to sRGB, transparency
    composited over black (over white if the drawing on it is dark), 16 bit and floating point scaled to 8 bit by the
    levels in use; of an animation the first picture is taken. say: called with a line for the user if levels were
    scaled unusually, white was chosen, or the picture is nearly black. Raises BadInput, one line, if the file is
    missing, damaged, no picture, or has more than 250 megapixels.
    """
    width, height = size
    if width < 1 or height < 1:
        raise BadInput(f"a picture cannot be {width}x{height}; both sides must be at least 1")
    path = Path(path)
    name = plain(path)
    with open_picture(path, name) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise BadInput(
                f"{name}: {picture.width}x{picture.height} is {picture.width * picture.height / 1e6:.0f} megapixels; "
                f"at most {MAX_PIXELS // 10**6} can be used: make it smaller first"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow warns about odd metadata; the pixels decide here
                return _to_srgb(picture, size, name, say)
        except MemoryError:
            raise BadInput(
                f"{name}: not enough memory to decode {picture.width}x{picture.height}; make it smaller"
            ) from None
        except Exception as fault:
            raise BadInput(f"{name}: the picture is damaged or cut short ({plain(fault)})") from fault


@contextmanager
def open_picture(path: Path, name: str) -> Iterator[Image.Image]:
    from PIL import UnidentifiedImageError

    with ExitStack() as stack:
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise BadInput(f"{name}: is a folder, not a picture")
            if not stat.S_ISREG(mode):  # reading a pipe would block
                raise BadInput(f"{name}: is not an ordinary file")
            file = stack.enter_context(path.open("rb"))
            head = file.read(16)  # fails where it can be opened only: a disk that was pulled out, a file of a cloud
            file.seek(0)
        except FileNotFoundError:
            raise BadInput(f"{name}: no such file") from None
        except (OSError, ValueError) as fault:  # ValueError: a null byte in the name
            raise BadInput(f"{name}: cannot be read: {reason_of(fault)}") from fault
        if not head:
            raise BadInput(f"{name}: the file is empty")
        try:
            with _no_pillow_limit(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture = _opened(file)
        except UnidentifiedImageError:
            raise BadInput(f"{name}: not a picture this program can read{_what_it_is(head)}") from None
        except Exception as fault:
            raise BadInput(f"{name}: the picture is damaged ({plain(fault)})") from fault
        with picture:
            yield picture


def _opened(file: BinaryIO) -> Image.Image:
    """The picture of a file of any of the formats. Raises what Pillow raises."""
    from PIL import Image, UnidentifiedImageError

    Image.preinit()  # JPEG, PNG and a few more: loading the modules of all formats takes as long as the picture itself
    try:
        return Image.open(file, formats=[known for known in _FORMATS if known in Image.OPEN])
    except UnidentifiedImageError:
        file.seek(0)
        Image.init()
        return Image.open(file, formats=[known for known in _FORMATS if known in Image.OPEN])


@contextmanager
def _no_pillow_limit() -> Iterator[None]:
    """Disable Pillow's own limit of pixels while a header is read: MAX_PIXELS is checked instead, with a clear
    message.
    """
    from PIL import Image

    with _pillow_limit:
        kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = kept


def _to_srgb(picture: Image.Image, size: tuple[int, int], name: str, say: Callable[[str], None]) -> np.ndarray:
    from PIL import Image

    if picture.format in ("JPEG", "MPO"):  # the only decoder that can skip detail, and the only one where it is safe
        _draft(picture, size)
    picture.load()
    turn = orientation(picture)  # after load: some decoders turn the picture themselves and then say so
    profile = picture.info.get("icc_profile")
    across = (size[1], size[0]) if turn >= 5 else size
    plain = _eight_bit(picture, name, say)
    box = _cover(plain.size, across, _kept_of(turn))
    small = plain.resize(across, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    small, alpha = _colours(small, profile, name)
    pixels = np.array(small if alpha is None else _opaque(small, alpha, name, say), dtype=np.uint8)
    if np.count_nonzero(pixels.max(axis=2) > _DARK) < _VISIBLE_FRACTION * pixels.shape[0] * pixels.shape[1]:
        is_empty = alpha is not None and alpha.getextrema()[1] == 0
        say(
            f"{name}: the picture is {'wholly transparent' if is_empty else 'nearly black'}, and so are the first depths of its dream"
        )
    if turn in _TURNS:
        pixels = np.array(Image.fromarray(pixels).transpose(Image.Transpose[_TURNS[turn]]))
    return pixels


def _draft(picture: Image.Image, size: tuple[int, int]) -> None:
    """Let the JPEG decoder halve the picture as long as it stays at least twice the size needed."""
    across = (size[1], size[0]) if orientation(picture) >= 5 else size
    scale = max(across[0] / picture.width, across[1] / picture.height)
    picture.draft(None, (math.ceil(picture.width * scale) * 2, math.ceil(picture.height * scale) * 2))


def orientation(picture: Image.Image) -> int:
    try:
        turn = picture.getexif().get(_ORIENTATION, 1)
    except Exception as fault:  # noqa: BLE001  # faulty metadata must not prevent reading the picture
        log.info("EXIF data ignored: %s", fault)
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _kept_of(turn: int) -> tuple[float, float]:
    """Which part of a picture is kept, across and down the file, 0..1: KEPT_DOWN as it is shown. turn: its EXIF
    orientation.
    """
    down = 1 - KEPT_DOWN if turn in (3, 4, 7, 8) else KEPT_DOWN  # these end where others begin
    return (down, 0.5) if turn >= 5 else (0.5, down)


def _cover(
    have: tuple[int, int], want: tuple[int, int], kept: tuple[float, float]
) -> tuple[float, float, float, float]:
    """The largest box of the shape of `want` in a picture of size `have`, px: left, top, right, bottom. kept: where it
    lies, across and down, 0..1: 0.5 is the middle.
    """
    scale = min(have[0] / want[0], have[1] / want[1])
    width, height = min(want[0] * scale, have[0]), min(want[1] * scale, have[1])
    left, top = (have[0] - width) * kept[0], (have[1] - height) * kept[1]
    return left, top, min(left + width, have[0]), min(top + height, have[1])


def _eight_bit(picture: Image.Image, name: str, say: Callable[[str], None]) -> Image.Image:
    """The same picture in a mode that can be scaled: L, LA, RGB, RGBA, CMYK or LAB."""
    from PIL import Image

    mode = picture.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        return Image.fromarray(_grey_to_bytes(np.asarray(picture), is_float=mode == "F", name=name, say=say))
    if mode in ("P", "PA") or (mode in ("1", "L", "RGB") and "transparency" in picture.info):
        return picture.convert("RGBA")
    if mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return picture
    return picture.convert({"1": "L", "La": "LA", "RGBa": "RGBA"}.get(mode, "RGB"))


def _grey_to_bytes(grey: np.ndarray, *, is_float: bool, name: str, say: Callable[[str], None]) -> np.ndarray:
    """Grey levels wider than a byte -> uint8, black at 0 and white at the first usual white that no level exceeds.

    With many negative levels black is the lowest; with no usual white it is the highest. Where nearly all floating
    point levels lie far below that, as in a picture of high dynamic range, what is brighter than the 99th percentile is
    cut off.
    """
    values = grey.astype(np.float32)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    black = low if low < -0.1 * high else 0.0
    white = next((usual for usual in _WHITES if usual >= high and (usual > 1 or is_float)), high)
    if black < 0:
        white = high if high > low else low + 1
    elif is_float and white > 1:
        bright = float(np.percentile(finite[:: max(1, finite.size // _MAX_SAMPLES)], 99))
        white = max(1.0, bright) if bright < white / 8 else white
    if high > 0 <= black and (white < high or white not in ((1.0, 255.0, 65535.0) if is_float else (65535.0,))):
        say(f"{name}: its levels go up to {high:g}; {white:g} is taken as white")
    return np.clip((values - black) / (white - black) * 255 + 0.5, 0, 255).astype(np.uint8)


def _colours(picture: Image.Image, profile: Any, name: str) -> tuple[Image.Image, Image.Image | None]:
    """Any scaled picture -> RGB in sRGB, and its opacity (L), None if it is opaque."""
    alpha = None
    if picture.mode in ("LA", "RGBA"):
        alpha = picture.getchannel("A")
        picture = picture.convert(picture.mode[:-1])
    if picture.mode == "LAB":
        picture = _transform(picture, "LAB")
    elif profile:
        try:
            picture = _transform(picture, profile)
        except Exception as fault:  # noqa: BLE001  # damaged, or for another kind of pixel: it is ignored
            log.warning("%s: its colour profile cannot be used: %s", name, fault)
    return picture.convert("RGB"), alpha


def _opaque(picture: Image.Image, alpha: Image.Image, name: str, say: Callable[[str], None]) -> Image.Image:
    """RGB composited over black, or over white if much is transparent and hardly any of the drawing would be visible on
    black.
    """
    from PIL import Image

    opacity = np.asarray(alpha, np.float32) / 255
    is_seen = (np.asarray(picture.convert("L")) > _DARK_INK) | (np.asarray(picture).max(axis=2) > _VIVID)
    drawn = float(opacity.sum())
    on_white = (
        0 < drawn < _DRAWING_FRACTION * opacity.size and float(opacity[is_seen].sum()) < _VISIBLE_INK_FRACTION * drawn
    )
    if on_white:
        say(f"{name}: dark on a transparent background; white is put behind it")
    return Image.composite(picture, Image.new("RGB", picture.size, "white" if on_white else "black"), alpha)


def _transform(picture: Image.Image, profile: Any) -> Image.Image:
    from PIL import ImageCms

    lab = profile == "LAB"
    source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB") if lab else io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    wanted = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}.get(space)
    if wanted != picture.mode:
        # a grey picture saved with an RGB profile, a palette of greys with a grey one: the levels mean the same
        if {wanted, picture.mode} != {"L", "RGB"}:
            raise ValueError(f"a profile for {space} in a picture of {picture.mode}")
        picture = picture.convert(wanted)
    converted = ImageCms.profileToProfile(
        picture,
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if converted is None:
        raise ValueError("no conversion")
    return converted


def _what_it_is(head: bytes) -> str:
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"hevc"):
        return ": it is HEIC; save it as JPEG first"
    if head.startswith((b"%PDF", b"%!PS", b"<svg", b"<?xml", b"\xef\xbb\xbf<")):
        return ": it is a drawing, not pixels; save it as PNG first"
    return "; JPEG, PNG, WebP, AVIF, TIFF, GIF and BMP are"
