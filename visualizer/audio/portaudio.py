"""Calls of PortAudio: on one thread, quiet on stderr, and with a time limit."""

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

# How long one call may take. A sound server that hangs never answers.
ANSWER_S = 5.0
# A signal that comes just before a wait begins is noticed only when the wait ends.
SIGNAL_S = 0.2
# A call that lasts so long is taken never to return. A device that is gone holds a closing call for half a second.
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
    """Makes all calls of PortAudio, one after another: it is not safe for two threads at once, and a call may never return.

    The thread is a daemon that lives as long as the program: on Windows, sound devices belong to the thread that found them.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begun_s: float | None = None  # the call being made, since when
        self.was_open = False  # a device was open once
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def make(self, call: Callable[[], object]) -> None:
        """Make this call, which must not raise, after those before it. Returns at once."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="portaudio", daemon=True)
                self._thread.start()
        self._calls.put(call)

    def hangs(self) -> bool:
        """Whether a call has not returned for HANG_S, though sound worked before: only another process may have sound again."""
        begun_s = self._begun_s
        return self.was_open and begun_s is not None and self._now() - begun_s > HANG_S

    def _run(self) -> None:
        while True:
            call = self._calls.get()
            self._begun_s = self._now()
            call()
            self._begun_s = None


THREAD = _PortAudioThread()


def answer(
    call: Callable[[], Result], discard: Callable[[Result], object] = lambda late: None, timeout_s: float | None = None
) -> Result:
    """What `call`, a call of PortAudio, returns or raises; SoundHangs when that takes longer than timeout_s (ANSWER_S if None).

    The call is made on PortAudio's thread, so that the thread that waits stays open to signals. When it is given up, what it
    returns later goes to `discard`. Meanwhile stderr goes nowhere: PortAudio prints its own source lines when a device refuses.
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
        except BaseException as error:  # noqa: BLE001  it is raised where the answer is waited for
            errors.append(error)
        with state:
            done.set()
            is_late = not is_wanted
        if is_late:
            log.warning("the sound system has answered, too late")
            if results:
                release(lambda: discard(results[0]))

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


def refusal(portaudio: Any, kind: Literal["input", "output"], device_index: int, n_channels: int, rate_hz: int) -> str:
    """Why a device does not take (input: give) float32 sound of this rate; "" where it does.

    PyAudio would hold the interpreter's lock while it asks, and with it the whole program where a sound server hangs: PortAudio is
    asked past it, where its library can be reached.
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
    """The PortAudio that PyAudio has loaded; None where that cannot be reached: it may be a part of PyAudio."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libportaudio.so.2", mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
        library.Pa_GetErrorText.restype = ctypes.c_char_p
    except (OSError, AttributeError):
        return None
    return library


def release(release: Callable[[], object]) -> None:
    """Close a stream or end PortAudio; whatever it raises, the device is given up."""
    try:
        release()
    except Exception as error:  # noqa: BLE001
        log.info("closing a sound device: %s", one_line(error))


def terminate(portaudio: Any) -> None:
    """End a PyAudio. One that uses a JACK server that has died stays open: PortAudio would end the whole process by an assertion.

    The devices of the other host APIs can still be opened then; those that are new are not found.
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
    """Whether the JACK server takes a client. Asked by a process of its own: JACK's library may end one whose server has died."""
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
    """What an error says, without line breaks."""
    return " ".join(str(error).split()) or type(error).__name__


def silence_libraries() -> None:
    """Keep ALSA and JACK from writing some eighty lines about devices that are not there to stderr.

    Both take a function to report errors to. They get one of the C library's that reads nothing and does nothing: unlike
    a Python function it needs no interpreter lock on PortAudio's threads, and it is never unloaded.
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
