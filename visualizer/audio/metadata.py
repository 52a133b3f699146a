"""What a media file says of itself: title, artist and the like, and its cover picture."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .streams import DECODER_ERRORS, open_container, sound_stream

#: names of the tags that are read, each with the other names that formats have for it
TAGS = {
    "title": (),
    "artist": (),
    "album": (),
    "album_artist": ("albumartist",),
    "composer": (),
    "genre": (),
    "date": ("year", "date_released"),
}
_MOST_LETTERS, _MOST_COVER_BYTES = 1000, 30_000_000  # what is longer is no name; what is larger is no cover

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metadata:
    """tags: values by their names of `TAGS`, of those that the file has. cover: a JPEG or PNG file, None without."""

    tags: Mapping[str, str] = field(default_factory=dict)
    cover: bytes | None = None


def read_metadata(path: Path, stream: int | None = None) -> Metadata:
    """The metadata of a media file; empty where it cannot be read.

    stream: number of the sound stream, see `sound_stream`: in Ogg each has tags of its own.
    """
    import av

    try:
        with open_container(path) as container:
            found = container.metadata
            if container.format.name == "ogg":  # elsewhere the title of a stream is its language, or the like
                found = {**found, **sound_stream(container, stream, path).metadata}
            return Metadata(_tags({name.lower(): text for name, text in found.items()}), _cover(container))
    except (av.error.FFmpegError, OSError, *DECODER_ERRORS) as fault:
        log.info("%s: its metadata cannot be read: %s", path, fault)
        return Metadata()


def _tags(found: Mapping[str, str]) -> dict[str, str]:
    tags = {}
    for name, others in TAGS.items():
        text = next((found[one].strip() for one in (name, *others) if found.get(one, "").strip()), "")
        if text:
            tags[name] = text[:_MOST_LETTERS]
    return tags


def _cover(container: Any) -> bytes | None:
    from av.stream import Disposition

    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic and stream.codec_context.name in ("mjpeg", "png"):
            for packet in container.demux(stream):
                return bytes(packet) if 0 < packet.size <= _MOST_COVER_BYTES else None
    return None
