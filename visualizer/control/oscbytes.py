"""Parses OSC packets: bundles here, messages by python-osc.

python-osc 1.10.2 never returns from a bundle with a part of negative length, so it gets no bundles; and it copies the
rest of a message for each of its values, so it gets no long messages.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

#: the longest message and the most values that are read; the program's own addresses need 1 value
MOST_BYTES = 2048
MOST_VALUES = 16
MOST_NESTING = 8
_BUNDLE = b"#bundle\0"
_HEAD = len(_BUNDLE) + 8  # with the time tag, which is ignored

OscValue = float | str


class BadPacket(ValueError):
    """A packet, or a part of one, that is no OSC."""


def messages(packet: bytes) -> Iterator[bytes]:
    """The messages in a packet, those of bundles in their order. Raises BadPacket where the rest cannot be parsed."""
    waiting = [(packet, 0)]
    while waiting:
        part, depth = waiting.pop()
        if not part.startswith(_BUNDLE):
            if not part.startswith(b"/"):
                raise BadPacket("neither a message nor a bundle")
            yield part
            continue
        if depth >= MOST_NESTING:
            raise BadPacket(f"bundles in bundles, more than {MOST_NESTING} deep")
        if len(part) < _HEAD:
            raise BadPacket("a truncated bundle")
        inside = []
        at = _HEAD
        while at < len(part):
            if at + 4 > len(part):
                raise BadPacket("a truncated bundle")
            (n_bytes,) = struct.unpack_from(">i", part, at)
            at += 4
            if n_bytes <= 0 or n_bytes % 4 or at + n_bytes > len(part):
                raise BadPacket(f"a bundle with a part of {n_bytes} bytes")
            inside.append((part[at : at + n_bytes], depth + 1))
            at += n_bytes
        waiting += reversed(inside)


def read_message(message: bytes) -> tuple[str, list[OscValue]]:
    """The address and the values: numbers (also of true, false and 64 bits) and texts; others are left out.

    Raises BadPacket, also if the first value has another type: without it the message would count as a button press.
    """
    from pythonosc.osc_message import OscMessage
    from pythonosc.osc_message import ParseError as MessageError
    from pythonosc.parsing.osc_types import ParseError as TypesError

    if len(message) > MOST_BYTES:
        raise BadPacket(f"a message of {len(message)} bytes; at most {MOST_BYTES} are allowed")
    address, _, rest = message.partition(b"\0")
    tags = rest.lstrip(b"\0").partition(b"\0")[0]
    if not address.isascii() or not address.decode("ascii").isprintable():
        raise BadPacket("an address that is no text")
    if tags and (len(tags) > MOST_VALUES + 1 or tags.strip(b",ifdshTFNtbrm")):
        raise BadPacket("values of an unknown type, or too many")
    if tags[1:2] in (b"N", b"t", b"b", b"r", b"m"):
        raise BadPacket("a value that is neither number nor text: nil, a time, a blob, a colour or MIDI")
    if len(tags) <= 1 and len(message) > len(address) // 4 * 4 + 8:
        raise BadPacket("values without their types")
    try:
        read = OscMessage(message)
        found = [value for value in read.params if isinstance(value, bool | int | float | str)]
    except (MessageError, TypesError, ValueError, IndexError, OverflowError, TypeError, struct.error) as fault:
        raise BadPacket("a truncated or malformed message") from fault
    return read.address, [value if isinstance(value, str) else float(value) for value in found]
