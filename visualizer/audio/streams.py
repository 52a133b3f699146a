"""The sound streams of a media file: choosing one, and a warning if the chosen one is silent and another is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInput

# To find silent streams, this many places of a file, evenly spread, are decoded for about this long each.
_N_PLACES, _PLACE_S = 12, 1.0
_SILENT_PEAK = 1e-4  # -80 dB of full scale
#: exceptions that PyAV raises for damaged files, such as IndexError for a stream that appears in mid-file
DECODER_ERRORS = (LookupError, ValueError, NotImplementedError, MemoryError)


def open_container(path: Path) -> Any:
    """Open a media file as an `av` container. Raises what PyAV raises: FFmpegError, OSError, DECODER_ERRORS.

    "file:" keeps a name with a colon from being read as a protocol; the whitelist keeps a disguised playlist off the
    network.
    """
    import av

    return av.open("file:" + str(path), options={"protocol_whitelist": "file"}, metadata_errors="replace")


def sound_stream(container: Any, number: int | None, path: Path) -> Any:
    """The sound stream with a number, from 1, of an open `av` container; for None FFmpeg's choice.

    Raises BadInput if there is no sound, or no stream of that number; the message then lists the streams.
    """
    streams = container.streams.audio
    best = container.streams.best("audio")
    if not streams or best is None:
        raise BadInput(f"{path}: has no sound; give a file with sound")
    if number is None:
        return best
    if not 1 <= number <= len(streams):
        listed = "; ".join(_described(index, stream) for index, stream in enumerate(streams, 1))
        raise BadInput(f"{path}: has no sound stream {number}; it has {listed}; choose one with --stream")
    return streams[number - 1]


def silence_note(path: Path, number: int | None = None) -> str | None:
    """A message for the user if the sound stream that would be read is silent and another one is not; None otherwise.

    Only samples are taken: a second at each of 12 places, until the stream is found not to be silent. A stream that
    cannot be decoded counts as silent.
    """
    import av

    try:
        with open_container(path) as container:
            streams = list(container.streams.audio)
            if len(streams) < 2:
                return None
            chosen = streams.index(sound_stream(container, number, path))
            loud = _heard_streams(container, streams, chosen)
            if chosen in loud or not loud:
                return None
            other = min(loud)
            return (
                f"{path.name}: sound stream {_described(chosen + 1, streams[chosen])} is silent, but "
                f"{_described(other + 1, streams[other])} is not; choose it with --stream {other + 1}"
            )
    except (av.error.FFmpegError, OSError, *DECODER_ERRORS):
        return None


def _heard_streams(container: Any, streams: list[Any], chosen: int) -> set[int]:
    """The indices of the streams that are not silent. The search ends as soon as the chosen one is among them."""
    import av

    loud: set[int] = set()
    places = {stream.index: index for index, stream in enumerate(streams)}
    start_s = (container.start_time or 0) / av.time_base
    length_s = (container.duration or 0) / av.time_base
    for step in range(_N_PLACES):
        place_s = start_s + length_s * step / _N_PLACES
        ended: set[int] = set()
        if step:
            container.seek(round(place_s * av.time_base))
        try:
            for packet in container.demux(streams):
                index = places[packet.stream.index]
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    frames = []
                if any(_peak(frame) > _SILENT_PEAK for frame in frames):
                    loud.add(index)
                    if index == chosen:
                        return loud
                if packet.pts is None or packet.pts * packet.time_base > place_s + _PLACE_S:
                    ended.add(index)
                if len(ended) == len(streams):
                    break
        except av.error.FFmpegError:
            continue
    return loud


def _peak(frame: Any) -> float:
    """The largest sample of an `av` frame, full scale 1."""
    samples = frame.to_ndarray()
    if samples.dtype.kind == "f":
        return float(np.nan_to_num(np.abs(samples)).max(initial=0.0))
    info = np.iinfo(samples.dtype)
    middle = (int(info.max) + int(info.min) + 1) // 2  # 128 of unsigned bytes
    return float(np.abs(samples.astype(np.float64) - middle).max(initial=0.0)) / (int(info.max) - middle)


def _described(number: int, stream: Any) -> str:
    """A stream as text: `2 (deu, ac3, "Commentary")`."""
    tags = stream.metadata
    codec = stream.codec_context.name if stream.codec_context is not None else "unknown codec"
    words = [tags.get("language", ""), codec, f'"{tags["title"]}"' if tags.get("title") else ""]
    return f"{number} ({', '.join(word for word in words if word and word != 'und')})"
