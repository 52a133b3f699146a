"""Asks PulseAudio (or PipeWire in its place) for its sources and sinks, and where this program's streams are connected.
Linux only.

PortAudio presents a sound server as one device called "pulse". The server itself knows each microphone and monitor by a
permanent name, which of them are suspended, and when it moved a stream to another source. A query through libpulse
takes a few hundred microseconds. Of libpulse's structures only the first fields are declared here; the rest is never
read.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import time
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int, c_uint8, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any

# A server normally answers within a millisecond; after this time it is considered hung.
ANSWER_S = 0.4
# After the timeout, answers that have already arrived are still read, in up to this many iterations: this thread may
# have been delayed.
LATE_TURNS = 10
_NO_AUTOSPAWN = 1
_READY, _FAILED = 4, 5
_SUSPENDED = 2
_ALSA_ORDER = 1


class ServerError(Exception):
    """The server cannot be asked. `hangs`: whether it is running but does not answer."""

    def __init__(self, words: str, *, hangs: bool = False) -> None:
        super().__init__(words)
        self.hangs = hangs


@dataclass(frozen=True)
class ServerSource:
    """A source of the server: something that can be recorded. name: unique and permanent; description: a readable name.

    is_plain: whether a client that names no channels gets its channels unchanged; otherwise the server mixes or drops
    some.
    """

    index: int
    name: str
    description: str
    n_channels: int
    rate_hz: int
    is_suspended: bool
    is_plain: bool = True


@dataclass(frozen=True)
class ServerSink:
    """A sink of the server: something that sound can be played to. name: unique and permanent; description: a readable
    name.
    """

    index: int
    name: str
    description: str
    n_channels: int
    rate_hz: int


class _SampleSpec(ctypes.Structure):
    _fields_ = [("format", c_int), ("rate", c_uint32), ("channels", c_uint8)]


class _ChannelMap(ctypes.Structure):
    _fields_ = [("channels", c_uint8), ("map", c_int * 32)]


class _Volume(ctypes.Structure):
    _fields_ = [("channels", c_uint8), ("values", c_uint32 * 32)]


class _SourceInfo(ctypes.Structure):
    """A source or a sink: their structures are equal up to `state`, except for names."""

    _fields_ = [
        ("name", c_char_p),
        ("index", c_uint32),
        ("description", c_char_p),
        ("sample_spec", _SampleSpec),
        ("channel_map", _ChannelMap),
        ("owner_module", c_uint32),
        ("volume", _Volume),
        ("mute", c_int),
        ("monitor_of_sink", c_uint32),
        ("monitor_of_sink_name", c_char_p),
        ("latency", c_uint64),
        ("driver", c_char_p),
        ("flags", c_int),
        ("proplist", c_void_p),
        ("configured_latency", c_uint64),
        ("base_volume", c_uint32),
        ("state", c_int),
    ]


class _StreamInfo(ctypes.Structure):
    _fields_ = [
        ("index", c_uint32),
        ("name", c_char_p),
        ("owner_module", c_uint32),
        ("client", c_uint32),
        ("source", c_uint32),
        ("sample_spec", _SampleSpec),
        ("channel_map", _ChannelMap),
        ("buffer_usec", c_uint64),
        ("source_usec", c_uint64),
        ("resample_method", c_char_p),
        ("driver", c_char_p),
        ("proplist", c_void_p),
    ]


class _ServerInfo(ctypes.Structure):
    _fields_ = [
        ("user_name", c_char_p),
        ("host_name", c_char_p),
        ("server_version", c_char_p),
        ("server_name", c_char_p),
        ("sample_spec", _SampleSpec),
        ("default_sink_name", c_char_p),
        ("default_source_name", c_char_p),
    ]


class _PlayingInfo(ctypes.Structure):
    _fields_ = [
        ("index", c_uint32),
        ("name", c_char_p),
        ("owner_module", c_uint32),
        ("client", c_uint32),
        ("sink", c_uint32),
        ("sample_spec", _SampleSpec),
        ("channel_map", _ChannelMap),
        ("volume", _Volume),
        ("buffer_usec", c_uint64),
        ("sink_usec", c_uint64),
        ("resample_method", c_char_p),
        ("driver", c_char_p),
        ("mute", c_int),
        ("proplist", c_void_p),
    ]


_ON_SOURCE = ctypes.CFUNCTYPE(None, c_void_p, POINTER(_SourceInfo), c_int, c_void_p)
_ON_STREAM = ctypes.CFUNCTYPE(None, c_void_p, POINTER(_StreamInfo), c_int, c_void_p)
_ON_PLAYING = ctypes.CFUNCTYPE(None, c_void_p, POINTER(_PlayingInfo), c_int, c_void_p)
_ON_SERVER = ctypes.CFUNCTYPE(None, c_void_p, POINTER(_ServerInfo), c_void_p)


@functools.cache
def _library() -> Any:
    """libpulse with its functions declared; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        pulse = ctypes.CDLL("libpulse.so.0")
        for name, result, arguments in (
            ("pa_mainloop_new", c_void_p, []),
            ("pa_mainloop_free", None, [c_void_p]),
            ("pa_mainloop_get_api", c_void_p, [c_void_p]),
            ("pa_mainloop_prepare", c_int, [c_void_p, c_int]),
            ("pa_mainloop_poll", c_int, [c_void_p]),
            ("pa_mainloop_dispatch", c_int, [c_void_p]),
            ("pa_context_new", c_void_p, [c_void_p, c_char_p]),
            ("pa_context_connect", c_int, [c_void_p, c_char_p, c_int, c_void_p]),
            ("pa_context_disconnect", None, [c_void_p]),
            ("pa_context_unref", None, [c_void_p]),
            ("pa_context_get_state", c_int, [c_void_p]),
            ("pa_context_get_server_info", c_void_p, [c_void_p, _ON_SERVER, c_void_p]),
            ("pa_context_get_source_info_list", c_void_p, [c_void_p, _ON_SOURCE, c_void_p]),
            ("pa_context_get_source_output_info_list", c_void_p, [c_void_p, _ON_STREAM, c_void_p]),
            ("pa_context_get_sink_info_list", c_void_p, [c_void_p, _ON_SOURCE, c_void_p]),
            ("pa_context_get_sink_input_info_list", c_void_p, [c_void_p, _ON_PLAYING, c_void_p]),
            ("pa_operation_unref", None, [c_void_p]),
            ("pa_operation_cancel", None, [c_void_p]),
            ("pa_channel_map_init_extend", c_void_p, [POINTER(_ChannelMap), c_uint32, c_int]),
            ("pa_channel_map_equal", c_int, [POINTER(_ChannelMap), POINTER(_ChannelMap)]),
            ("pa_proplist_gets", c_char_p, [c_void_p, c_char_p]),
        ):
            function = getattr(pulse, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return pulse


class SoundServer:
    """A connection to the user's sound server, for one thread. Close it, or use it as a context manager."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic, answer_s: float | None = None) -> None:
        """Connect to a running server; none is started. answer_s: timeout of each query, seconds; ANSWER_S if None.
        Raises ServerError.
        """
        self._now, self._answer_s = now, answer_s
        self._context: Any = None
        self._loop: Any = None
        pulse = _library()
        if pulse is None:
            raise ServerError("libpulse is not installed")
        self._pulse = pulse
        self._loop = pulse.pa_mainloop_new()
        try:
            self._context = pulse.pa_context_new(pulse.pa_mainloop_get_api(self._loop), b"visualizer")
            if not self._context or pulse.pa_context_connect(self._context, None, _NO_AUTOSPAWN, None) < 0:
                raise ServerError("no sound server is running")
            self._turn_until(lambda: bool(pulse.pa_context_get_state(self._context) == _READY))
        except BaseException:
            self.close()
            raise

    def default_source(self) -> str:
        """The name of the default source; "" if there is none. Raises ServerError."""
        return self._default("default_source_name")

    def default_sink(self) -> str:
        """The name of the default sink; "" if there is none. Raises ServerError."""
        return self._default("default_sink_name")

    def sources(self) -> list[ServerSource]:
        """All sources, including monitors, in the server's order. Raises ServerError."""
        found: list[ServerSource] = []

        def take(one: Any) -> None:
            found.append(
                ServerSource(
                    index=one.index,
                    name=_text(one.name),
                    description=_text(one.description),
                    n_channels=one.sample_spec.channels,
                    rate_hz=one.sample_spec.rate,
                    is_suspended=one.state == _SUSPENDED,
                    is_plain=self._is_plain(one.channel_map),
                )
            )

        self._ask_list(self._pulse.pa_context_get_source_info_list, _ON_SOURCE, take)
        return sorted(found, key=lambda source: source.index)

    def sinks(self) -> list[ServerSink]:
        """All sinks, in the server's order. Raises ServerError."""
        found: list[ServerSink] = []

        def take(one: Any) -> None:
            spec = one.sample_spec
            found.append(ServerSink(one.index, _text(one.name), _text(one.description), spec.channels, spec.rate))

        self._ask_list(self._pulse.pa_context_get_sink_info_list, _ON_SOURCE, take)
        return sorted(found, key=lambda sink: sink.index)

    def our_streams(self) -> dict[int, int]:
        """This process's recording streams: {index of the stream: index of its source}. Raises ServerError."""
        found: dict[int, int] = {}

        def take(one: Any) -> None:
            if self._is_ours(one):
                found[one.index] = one.source

        self._ask_list(self._pulse.pa_context_get_source_output_info_list, _ON_STREAM, take)
        return found

    def our_sinks(self) -> list[ServerSink]:
        """The sinks that this process's playback streams are connected to. Raises ServerError."""
        indices: list[int] = []

        def take(one: Any) -> None:
            if self._is_ours(one):
                indices.append(one.sink)

        self._ask_list(self._pulse.pa_context_get_sink_input_info_list, _ON_PLAYING, take)
        return [sink for sink in self.sinks() if sink.index in indices]

    def close(self) -> None:
        """Disconnect. Closing twice is fine."""
        context, loop = self._context, self._loop
        self._context = self._loop = None
        if context:
            self._pulse.pa_context_disconnect(context)
            self._pulse.pa_context_unref(context)
        if loop:
            self._pulse.pa_mainloop_free(loop)

    def __enter__(self) -> SoundServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_plain(self, channels: _ChannelMap) -> bool:
        usual = _ChannelMap()
        self._pulse.pa_channel_map_init_extend(ctypes.byref(usual), channels.channels, _ALSA_ORDER)
        return bool(self._pulse.pa_channel_map_equal(ctypes.byref(usual), ctypes.byref(channels)))

    def _is_ours(self, stream: Any) -> bool:
        own = str(os.getpid()).encode()
        return bool(self._pulse.pa_proplist_gets(stream.proplist, b"application.process.id") == own)

    def _default(self, field: str) -> str:
        names: list[str] = []

        @_ON_SERVER
        def answered(_: Any, info: Any, __: Any) -> None:
            names.append(_text(getattr(info.contents, field)) if info else "")

        self._ask(self._pulse.pa_context_get_server_info(self._context, answered, None), lambda: bool(names))
        return names[0]

    def _ask_list(self, ask: Any, callback: Any, take: Callable[[Any], None]) -> None:
        """Call `take` with each structure that the server lists; it is valid only during that call."""
        ends: list[int] = []

        @callback
        def answered(_: Any, info: Any, end: int, __: Any) -> None:
            if end or not info:
                ends.append(end)
            else:
                take(info.contents)

        self._ask(ask(self._context, answered, None), lambda: bool(ends))

    def _ask(self, operation: Any, answered: Callable[[], bool]) -> None:
        if not operation:
            raise ServerError("the sound server is gone")
        try:
            self._turn_until(answered)
        finally:
            # a late answer must not call the callback, which may be freed by then
            self._pulse.pa_operation_cancel(operation)
            self._pulse.pa_operation_unref(operation)

    def _turn_until(self, answered: Callable[[], bool]) -> None:
        deadline_s = self._now() + (ANSWER_S if self._answer_s is None else self._answer_s)
        n_late = 0
        while not answered():
            left_s = deadline_s - self._now()
            n_late += left_s <= 0
            if n_late > LATE_TURNS:
                raise ServerError("the sound server does not answer", hangs=True)
            if (
                self._pulse.pa_mainloop_prepare(self._loop, max(1, int(left_s * 1e6))) < 0
                or self._pulse.pa_mainloop_poll(self._loop) < 0
                or self._pulse.pa_mainloop_dispatch(self._loop) < 0
                or self._pulse.pa_context_get_state(self._context) >= _FAILED
            ):
                raise ServerError("the sound server is gone")


def server_hangs(*, answer_s: float | None = None) -> bool:
    """Whether a sound server is running that does not answer within answer_s."""
    try:
        with SoundServer(answer_s=answer_s):
            return False
    except ServerError as error:
        return error.hangs


def _text(name: bytes | None) -> str:
    words = (name or b"").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "?" for character in words)
