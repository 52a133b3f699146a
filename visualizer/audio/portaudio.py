"""Calls of PortAudio: made on one thread, with a time limit, and without output on stderr."""

from __future__ import annotations

import ctypes
import functools
import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Literal, TypeVar

from ..errors import SoundHangs
from ..processes import redirect_stderr, reserve_environment

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_FLOAT32 = 1  # PortAudio's paFloat32

# How long to wait for one call. A sound server that hangs never answers.
ANSWER_S = 5.0
# Waits are split into parts of this length: a signal that arrives just before a wait is handled only when it ends.
SIGNAL_S = 0.2
# A call that has not returned after this long is considered hung. Closing a device that is gone takes up to half a
# second.
HANG_S = 10.0
# How long a JACK server may take to accept a client.
JACK_S = 2.0
_JACK_CLIENT = """
import ctypes, sys
jack = ctypes.CDLL("libjack.so.0")
jack.jack_client_open.restype = ctypes.c_void_p
jack.jack_client_close.argtypes = [ctypes.c_void_p]
no_start_server = 1
client = jack.jack_client_open(b"visualizer-check", no_start_server, None)
if not client:
    sys.exit(1)
jack.jack_client_close(client)
"""


class _PortAudioThread:
    """Runs all calls of PortAudio one after another: PortAudio is not thread-safe, and a call may never return.

    The thread is a daemon that runs until the program ends: on Windows, sound devices belong to the thread that found
    them.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begun_s: float | None = None  # when the current call began; None between calls
        self.was_open = False  # whether a device was ever open
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def make(self, call: Callable[[], object]) -> None:
        """Queue a call, which must not raise. Returns at once."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="portaudio", daemon=True)
                self._thread.start()
        self._calls.put(call)

    def hangs(self) -> bool:
        """Whether the current call has taken longer than HANG_S after sound had worked: this process will get no sound
        again.
        """
        begun_s = self._begun_s
        return self.was_open and begun_s is not None and self._now() - begun_s > HANG_S

    def _run(self) -> None:
        while True:
            call = self._calls.get()
            self._begun_s = self._now()
            call()
            self._begun_s = None


THREAD = _PortAudioThread()


def call_with_timeout(
    call: Callable[[], Result], discard: Callable[[Result], object] = lambda late: None, timeout_s: float | None = None
) -> Result:
    """Run `call` on PortAudio's thread and wait for it. Returns or raises what it does.

    Raises SoundHangs when it takes longer than timeout_s (ANSWER_S if None); a result that comes later is passed to
    `discard`. The waiting thread still handles signals. stderr is redirected meanwhile: PortAudio prints debug output
    when a device refuses.
    """
    timeout_s = ANSWER_S if timeout_s is None else timeout_s
    results: list[Result] = []
    errors: list[BaseException] = []
    state, done = threading.Lock(), threading.Event()
    is_wanted = True

    def call_now() -> None:
        with state:
            if not is_wanted:
                return
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001  it is raised again in the thread that waits
            errors.append(error)
        with state:
            done.set()
            is_late = not is_wanted
        if is_late:
            log.warning("the sound system answered too late; the result is dropped")
            if results:
                close_quietly(lambda: discard(results[0]))

    try:
        with redirect_stderr():
            THREAD.make(call_now)
            n_waits = math.ceil(timeout_s / SIGNAL_S)
            any(done.wait(timeout_s / n_waits) for _ in range(n_waits))
    finally:
        with state:
            is_wanted, is_over = False, done.is_set()
    if not is_over:
        raise SoundHangs(
            f"the sound system hangs (no answer within {timeout_s:g} s); restart the sound server, or unplug the sound "
            "devices one by one"
        )
    if errors:
        raise errors[0]
    return results[0]


class _Parameters(ctypes.Structure):
    """PaStreamParameters."""

    _fields_ = [
        ("device", ctypes.c_int),
        ("n_channels", ctypes.c_int),
        ("sample_format", ctypes.c_ulong),
        ("latency_s", ctypes.c_double),
        ("host_info", ctypes.c_void_p),
    ]


def unsupported_reason(
    portaudio: Any, kind: Literal["input", "output"], device_index: int, n_channels: int, rate_hz: int
) -> str:
    """Why a device does not support float32 sound at this rate; "" if it does.

    PyAudio holds the interpreter lock during this call, so a sound server that hangs would stop the whole program.
    PortAudio's library is therefore called directly where it can be found.
    """
    library = _library()
    if library is None:
        arguments = {f"{kind}_device": device_index, f"{kind}_channels": n_channels, f"{kind}_format": _FLOAT32}
        try:
            portaudio.is_format_supported(rate_hz, **arguments)
        except (ValueError, OSError) as error:
            return one_line(error)
        return ""
    wanted = ctypes.byref(_Parameters(device_index, n_channels, _FLOAT32, 0.0, None))
    code = library.Pa_IsFormatSupported(
        *((wanted, None) if kind == "input" else (None, wanted)), ctypes.c_double(rate_hz)
    )
    return "" if code == 0 else library.Pa_GetErrorText(code).decode("utf-8", "replace")


@functools.cache
def _library() -> Any:
    """The PortAudio library that PyAudio has loaded; None where it is not a separate library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libportaudio.so.2", mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
        library.Pa_GetErrorText.restype = ctypes.c_char_p
    except (OSError, AttributeError):
        return None
    return library


def close_quietly(close: Callable[[], object]) -> None:
    """Call `close`, which closes a stream or ends PortAudio, and log any error it raises."""
    try:
        close()
    except Exception as error:  # noqa: BLE001
        log.info("closing a sound device: %s", one_line(error))


def terminate(portaudio: Any) -> None:
    """Terminate a PyAudio object, unless it uses a JACK server that has died: an assertion in PortAudio would then
    abort the process.

    It stays open in that case. Devices of other host APIs can still be opened, but new devices are not found.
    """
    if _uses_jack(portaudio) and not _jack_answers():
        log.warning("the JACK server does not answer; PortAudio stays open, and finds no new devices")
    else:
        portaudio.terminate()


def _uses_jack(portaudio: Any) -> bool:
    import pyaudio

    try:
        portaudio.get_host_api_info_by_type(pyaudio.paJACK)
    except OSError:
        return False
    return sys.platform.startswith("linux")


def _jack_answers() -> bool:
    """Whether the JACK server accepts a client. A child process tries it: JACK's library may abort a process whose
    server died.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _JACK_CLIENT],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=JACK_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def one_line(error: BaseException) -> str:
    """The message of an error, without line breaks."""
    return " ".join(str(error).split()) or type(error).__name__


def silence_libraries() -> None:
    """Stop ALSA and JACK from printing some eighty lines about missing devices to stderr.

    Both accept an error handler. They get getpid of the C library, which ignores its arguments: unlike a Python
    function it needs no interpreter lock on PortAudio's threads, and it is never freed.
    """
    if not sys.platform.startswith("linux"):
        return
    reserve_environment()
    try:
        no_op = ctypes.CDLL(None).getpid
    except (OSError, AttributeError):
        return
    for library, setters in (
        ("libasound.so.2", ("snd_lib_error_set_handler",)),
        ("libjack.so.0", ("jack_set_error_function", "jack_set_info_function")),
    ):
        try:
            loaded = ctypes.CDLL(library)
            for setter in setters:
                getattr(loaded, setter)(no_op)
        except (OSError, AttributeError):
            continue  # the library is not on this machine, so it cannot be noisy
