"""Keeps an output device open: watches it, and opens it again after it was lost."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DeviceError, UnknownDevice
from .devices import (
    SERVER_API,
    Device,
    close_portaudio,
    find_output,
    list_devices,
    list_devices_at_start,
    open_portaudio,
    open_stream,
    takes_rate,
)
from .identity import Identity, find_again, identity_of
from .recovery import GONE_S, POLL_S, STALLED_S, retry_wait_s
from .soundserver import ServerError, SoundServer

log = logging.getLogger(__name__)

BLOCK_SAMPLES = 1024
# A newly opened device takes some blocks at once, and may then pause or lose them: it gets silence for this long.
SETTLE_S = 0.05
STALLED_AFTER_OPENING_S = 2.5
# Timeout of opening PortAudio; until then a song waits for its device.
OPEN_S = 2.0
# How often the sound server is asked which sink plays the stream.
SINK_POLL_S = 1.0


class AudioOutput:
    """Keeps an output device open and calls `fill` whenever the device needs samples. After `start` no method raises.

    Attributes, to be read from any thread:
      device_name, label        full name and readable name of the output that is open or wanted
      opened_name               full name of the output that is or was open last; None before that
      reason                    why nothing is played now, one line; "" while it plays, and before the first failure
      n_losses, n_recoveries    counts since the start
      n_underruns               times the device ran out of sound

    A lost device is found again by its full name and host API; without a wanted device, the default one of that moment
    is opened. The sound server may move the stream to another sink; device_name then changes.
    """

    def __init__(
        self,
        fill: Callable[[np.ndarray, float, float], None],
        lose: Callable[[], None],
        *,
        wanted: str | int | None,
        rate_hz: int,
        set_rate: Callable[[int], None],
        remembered: str | None = None,
        on_choice: Callable[[str], None] = lambda name: None,
        must_be_there: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find the wanted device; `start` opens it.

        Parameters
        ----------
        fill : called on the device's thread with a block of zeros to write into, (n, 2) float32, the present time, and
        the
            latency of its first sample, both in seconds
        lose : called on this object's thread when the device stops playing
        wanted : number, name or part of a name; None for the remembered output, or the default one if that is missing
        rate_hz : the sample rate to try first
        set_rate : called with the sample rate before the device is opened
        remembered : full name of the output that was chosen last
        on_choice : called on any thread with the full name of the wanted output once it is known
        must_be_there : raise UnknownDevice if the wanted output is missing while there are others; otherwise wait for
        it
        """
        self._fill, self._lose_sound, self._set_rate = fill, lose, set_rate
        self._wanted, self._first_rate_hz, self._now = wanted, rate_hz, now
        self._remembered, self._on_choice = remembered, on_choice
        self._identity: Identity | None = None
        self.device_name = self.label = "the default output" if wanted is None else str(wanted)
        self.opened_name: str | None = None
        self._asked_s = 0.0
        self.reason = ""
        self.n_losses = self.n_recoveries = self.n_underruns = 0
        self._was_heard = False
        self._news: deque[str] = deque(maxlen=8)
        self._portaudio: Any = None
        self._stream: Any = None
        self._n_channels, self._is_servers = 2, False
        self._latency_s: float | None = None
        self._fault: str | None = None
        self._begun_s: float | None = None  # when the device took the first block
        self._called_s = self._opened_s = now()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if wanted is not None:
            self._find_wanted(must_be_there)

    def start(self) -> None:
        """Open the device on a separate thread. Returns at once; starting twice is fine."""
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._supervise, name="audio-output", daemon=True)
            self._thread.start()

    def news(self) -> str | None:
        """The next message for the user; None if there is none."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Stop and close the device, within about two seconds even if it hangs. Closing twice is fine."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2.0)
            if self._thread.is_alive():
                log.warning("the output's thread hangs in the sound system; it is abandoned")

    # -- on the output's own thread --------------------------------------------------------------------------------

    def _find_wanted(self, must_be_there: bool) -> None:
        """Check before the start that the wanted device exists."""
        try:
            devices = list_devices_at_start()
            is_remembered_there = any(one.n_outputs > 0 and one.name == self._remembered for one in devices)
            self._choose(devices)
        except UnknownDevice:
            if must_be_there:
                raise
            if is_remembered_there:
                self._wanted = self._remembered  # several match: take the one that was chosen last
                self._choose(devices)
        except DeviceError as error:  # no output at all, or the sound system does not answer
            log.info("%s", error)

    def _choose(self, devices: list[Device]) -> Device:
        """The device to open. Raises DeviceError."""
        if self._identity is not None:
            return find_again(self._identity, devices)
        if self._wanted is None and self._remembered is not None:
            if any(device.n_outputs > 0 and device.name == self._remembered for device in devices):
                self._wanted = self._remembered
            else:
                self._report(f"{self._remembered} is not there; playing through the default output instead")
            self._remembered = None
        device = find_output(self._wanted, devices)
        if self._wanted is not None:
            self._identity = identity_of(device, devices, is_output=True)
            self._name(device.name, device.description)
            self._on_choice(device.name)
        return device

    def _name(self, name: str, description: str) -> None:
        self.device_name, self.label = name, description or name

    def _supervise(self) -> None:
        """Open the device, watch it until it is lost, close it, and open it again, until the end."""
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            try:
                reason = self._open() or self._watch()
            except Exception as error:
                log.exception("watching the output failed; trying again")
                reason = f"{type(error).__name__}: {error}"
            was_open = self._stream is not None
            if not self._stop.is_set():
                self._lose(reason)
            self._close()
            wait_s = retry_wait_s(wait_s, was_open=was_open)
        self._close()

    def _open(self) -> str:
        """Open the device. Returns why it cannot be opened; "" if it is open."""
        import pyaudio

        try:
            self._portaudio = open_portaudio(timeout_s=OPEN_S)
            devices = list_devices(self._portaudio)
            device = self._choose(devices)
            self._name(device.name, device.description)
            self._is_servers = device.host_api == SERVER_API
            self._n_channels = min(2, device.n_outputs)
            rate_hz = self._first_rate_hz
            # a sound server resamples
            if not self._is_servers and not takes_rate(self._portaudio, device, self._n_channels, rate_hz):
                rate_hz = device.default_rate_hz  # the reader then resamples the song
            self._set_rate(rate_hz)
            self._go_on, self._output_underflow = pyaudio.paContinue, pyaudio.paOutputUnderflow
            self._fault = self._begun_s = self._latency_s = None
            self._called_s = self._opened_s = self._now()
            self._stream = open_stream(
                self._portaudio,
                f"output {device.name!r}",
                format=pyaudio.paFloat32,
                channels=self._n_channels,
                rate=rate_hz,
                output=True,
                output_device_index=device.portaudio_index,
                frames_per_buffer=BLOCK_SAMPLES,
                source=device.source if self._wanted is not None else "",  # "": the stream follows the default output
                stream_callback=self._callback,
            )
            self._latency_s = self._stream.get_output_latency()
        except (DeviceError, OSError) as error:
            return str(error)
        self.opened_name = self.device_name
        log.info("output %r is open at %d Hz", self.device_name, rate_hz)
        return ""

    def _watch(self) -> str:
        """Watch the device until it is lost. Returns why; "" when the output is closed."""
        while not self._stop.wait(POLL_S):
            if reason := self._why_stopped():
                return reason
            silent_s = self._now() - self._called_s
            settled = self._begun_s is not None and self._called_s - self._begun_s >= SETTLE_S
            if silent_s > (STALLED_S if settled else STALLED_AFTER_OPENING_S):
                reason = f"the device took no sound for {silent_s:.1f} s"
                if silent_s > GONE_S:
                    return reason
                self._lose(reason)
            elif settled:
                self._flow()
                self._follow()
        return ""

    def _why_stopped(self) -> str:
        """Why the stream is dead; "" if it is not."""
        if self._fault is not None:
            return self._fault
        try:
            return "" if self._stream.is_active() else "the device stopped"
        except OSError as error:
            return f"the device is gone ({error})"

    def _flow(self) -> None:
        """The device plays: report that sound is back."""
        if self.reason:
            if self._was_heard:
                self.n_recoveries += 1
                self._report(f"sound is back ({self.n_recoveries}): {self.label}")
            else:
                self._report(f"sound has started: {self.label}")
        self._was_heard, self.reason = True, ""

    def _follow(self) -> None:
        """Ask which sink plays the stream: the sound server may have moved it."""
        if not self._is_servers or self._now() - self._asked_s < SINK_POLL_S:
            return
        try:
            with SoundServer(now=self._now) as server:
                sink = next(iter(server.our_sinks()), None)
        except ServerError as error:
            log.info("cannot ask which sink plays the stream: %s", error)
        else:
            if sink is not None and sink.name != self.device_name:
                self._name(sink.name, sink.description)
                self.opened_name = sink.name
                self._report(f"playing through {self.label}")
        self._asked_s = self._now()

    def _lose(self, reason: str) -> None:
        """The device does not play: report it once."""
        self._lose_sound()
        if not self.reason:
            if self._was_heard:
                self.n_losses += 1
                self._report(f"sound lost ({self.n_losses}): {reason}; playing on silently")
            else:
                self._report(f"no sound: {reason}; playing silently until the output works")
        elif reason != self.reason:
            log.info("output %r: %s", self.device_name, reason)
        self.reason = reason

    def _report(self, line: str) -> None:
        log.warning("output: %s", line)
        self._news.append(line)

    def _close(self) -> None:
        portaudio, stream = self._portaudio, self._stream
        self._portaudio = self._stream = None
        if portaudio is not None:
            close_portaudio(portaudio, stream)

    # -- on PortAudio's thread -------------------------------------------------------------------------------------

    def _callback(self, data: object, n_samples: int, times: object, status: int) -> tuple[bytes, int]:
        """Fill the device's next block. Catches every exception: PyAudio would raise it in the main thread."""
        out = np.zeros((n_samples, 2), np.float32)
        try:
            now_s = self._now()
            if status & self._output_underflow:
                self.n_underruns += 1
            if self._begun_s is None:
                self._begun_s = now_s
            self._called_s = now_s
            if self._latency_s is not None and now_s - self._begun_s >= SETTLE_S:
                self._fill(out, now_s, self._latency_s)
                np.clip(out, -1.0, 1.0, out=out)
        except Exception as error:  # noqa: BLE001
            self._fault = f"{type(error).__name__}: {error}"
        if self._n_channels == 1:
            out = out.mean(axis=1, dtype=np.float32)
        return out.tobytes(), self._go_on
