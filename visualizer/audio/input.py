"""Keeps an input device open: watches it, and finds it again by its name after it was lost."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import product

import numpy as np

from ..errors import DeviceError, SoundHangs, UnknownDevice
from .capture import LOST, OK, Capture
from .devices import Device, list_devices_at_start
from .identity import Identity, find_again, find_wanted, first_input, following_input, identity_of
from .recovery import POLL_S, retry_wait_s
from .watch import StreamWatch

log = logging.getLogger(__name__)

WAITING, ZEROS = "waiting", "only zeros"  # further states besides OK and LOST
NOT_STARTED = "not started"
# Sample rate of the analysis until the device's rate is known.
USUAL_RATE_HZ = 48_000
ZEROS_S = 3.0
# A stream that the sound server had suspended must deliver within this time after it was resumed, or is opened again.
RESUMED_S = 0.6
# Rising counts are logged at most this often.
LOG_S = 5.0
_MICROPHONE_HINT = "; allow the microphone in System Settings, Privacy & Security, Microphone, then start again"


class LiveInput:
    """Captures an input device for the whole show, through losses of the device. After `start` no method raises.

    Attributes, to be read from any thread:
      state           "ok", "lost" (it worked before), "waiting" (it never worked), "only zeros" (for 3 s: nothing
      connected or allowed) reason          why the state is not "ok", one line; "" otherwise
      device_name     full name of the input that is open or looked for; label: its readable name
      sample_rate_hz  of the blocks that `drain` returned last; it may change when the device comes back
      arrived         an event that is set with every block
      n_losses, n_recoveries, n_stalls    counts since the start
      n_dropped, n_overruns    samples dropped because they were stale; times the device or the ring buffer was full

    A lost device is searched for by its full name and host API on a separate thread, several times a second at first;
    no other device ever replaces it. The sound server is asked four times a second where the recording stream is
    connected: if it moved the stream to another source, the device counts as lost.
    """

    def __init__(
        self,
        wanted: str | int | None = None,
        *,
        channels: Sequence[int] = (),
        gain_db: float = 0.0,
        must_be_there: bool = True,
        remembered: str | None = None,
        on_choice: Callable[[str], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find the wanted device; `start` opens it.

        Parameters
        ----------
        wanted : number, name or part of a name; None for the remembered input, or the default one if that is missing
        channels : numbers, from 1, of the channels to mix; all if empty
        gain_db : -60..60
        must_be_there : raise UnknownDevice if the wanted input is missing while there are others; otherwise wait for it
        remembered : full name of the input that was chosen last
        on_choice : called on any thread with the full name of the wanted input once it is known, and of each that
        `next_input` opens

        Raises UnknownDevice, DeviceError if there is no sound system, BadInput for gain or channels. If there is no
        input at all, it waits for one.
        """
        self._wanted = wanted
        self._channels = tuple(channels)
        self._gain_db = gain_db
        self._remembered = remembered
        self._on_choice = on_choice
        self._now = now
        self.state, self.reason = WAITING, NOT_STARTED
        self.device_name = self.label = "the default input" if wanted is None else str(wanted)
        self.sample_rate_hz = USUAL_RATE_HZ
        self.n_losses = self.n_recoveries = self.n_stalls = 0
        self._n_dropped = self._n_overruns = 0  # of the earlier streams
        self._stamp_s = now()
        self._identity: Identity | None = None
        self._capture: Capture | None = None
        self.arrived = threading.Event()
        self._watch = StreamWatch(now=now)
        self._known_rate_hz: int | None = None
        self._turn = threading.Lock()  # guards what other threads set: the gain, and the steps to the next input
        self._n_next = 0
        self._skipped: list[Identity] = []  # inputs that could not be opened during `next_input`
        self._used_channels = self._channels  # of the open input
        self._news: deque[str] = deque(maxlen=8)
        self._noted = ""  # the last message about cancelling channels
        self._logged = (0, 0)
        self._logged_s = now()
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._find_at_start(must_be_there)

    # -- for the drawing thread ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start to open the device, or to wait for it, on a separate thread. Returns at once; starting twice is
        fine.
        """
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._supervise, name="audio-input", daemon=True)
            self._thread.start()

    def drain(self) -> tuple[list[np.ndarray], float]:
        """The blocks since the last call, oldest first, (n,) float32 of one rate, and when the newest arrived (on the
        clock `now`).

        There are none while there is no sound. Samples older than half a second are dropped and counted.
        """
        capture = self._capture
        if capture is None:
            return [], self._stamp_s
        blocks, stamp_s = capture.drain()
        if blocks:
            self.sample_rate_hz, self._stamp_s = capture.sample_rate_hz, stamp_s
        return blocks, self._stamp_s

    @property
    def gain_db(self) -> float:
        """The gain, dB."""
        return self._gain_db

    def set_gain(self, gain_db: float) -> None:
        """Set the gain. gain_db: -60..60."""
        with self._turn:
            self._gain_db = gain_db
            if self._capture is not None:
                self._capture.set_gain(gain_db)

    def take_peaks(self) -> tuple[float, ...]:
        """The peak of each mixed channel since the last call, with the gain, full scale 1; () without a device."""
        capture = self._capture
        return () if capture is None else capture.take_peaks()

    @property
    def n_dropped(self) -> int:
        """Samples dropped because they were stale."""
        capture = self._capture
        return self._n_dropped + (capture.n_dropped if capture is not None else 0)

    @property
    def n_overruns(self) -> int:
        """Times the device or the ring buffer was full."""
        capture = self._capture
        return self._n_overruns + (capture.n_overruns if capture is not None else 0)

    def next_input(self) -> None:
        """Change to the next input device of the list; `news` says which it is. Each call is one step."""
        with self._turn:
            self._n_next += 1
        self._wake.set()

    def news(self) -> str | None:
        """The next message for the user; None if there is none."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Stop, within two seconds even if a device hangs. Closing twice is fine."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(2.0)
            if self._thread.is_alive():
                log.warning("the input's thread hangs in the sound system; it is abandoned")

    def __enter__(self) -> LiveInput:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- before the start ------------------------------------------------------------------------------------------

    def _find_at_start(self, must_be_there: bool) -> None:
        """Find the wanted device."""
        try:
            found = list_devices_at_start()
        except SoundHangs as error:
            self._wait(str(error))
            return
        try:
            device, missing = first_input(self._wanted, self._remembered, found)
        except UnknownDevice as error:
            if must_be_there:
                raise
            if self._remembered is not None:
                self._wanted = self.device_name = self.label = self._remembered
            self._wait(str(error))
        except DeviceError as error:  # no input at all
            self._wait(str(error))
        else:
            Capture.check(device, self._channels, self._gain_db)
            if missing:
                log.warning("input: %s", missing)
                self._news.append(missing)
            self._set_device(device, found)
            self.sample_rate_hz = device.default_rate_hz

    def _wait(self, reason: str) -> None:
        self.reason = reason
        log.warning("no input yet, waiting for %s: %s", self.device_name, reason)
        self._news.append(f"no sound yet: waiting for {self.device_name}; until then the picture moves by itself")

    def _set_device(self, device: Device, devices: Sequence[Device]) -> None:
        self._identity = identity_of(device, devices)
        self.device_name, self.label = device.name, device.description or device.name
        if self._wanted is not None and self._on_choice is not None:
            self._on_choice(device.name)

    # -- on the input's own thread ---------------------------------------------------------------------------------

    def _supervise(self) -> None:
        """Open the device, watch it until it is lost, close it, and open it again, until the end."""
        wait_s = 0.0
        while not self._stop.is_set():
            if wait_s:
                self._wake.wait(wait_s)
            self._wake.clear()
            if self._stop.is_set():
                break
            try:
                reason = self._open() or self._listen()
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                if reason != self.reason:  # log the same error only once: there may be many a minute
                    log.exception("watching the input failed; trying again")
            opened = self._capture is not None
            self._release("" if self._stop.is_set() else reason)
            wait_s = 0.0 if self._n_next else retry_wait_s(wait_s, was_open=opened)
        self._release()

    def _open(self) -> str:
        """Open the input. Returns why it cannot be opened; "" if it is open, or another one is to be tried."""
        is_next = self._n_next > 0
        identity = self._identity
        if not is_next and identity is not None and identity.source:
            missing = self._watch.missing_reason(identity.source)
            if missing:
                return missing
        chosen: list[tuple[Device, list[Device]]] = []

        def choose(devices: list[Device]) -> Device:
            if is_next:
                device = following_input(self._identity, devices, self._skipped)
            elif self._identity is not None:
                device = find_again(self._identity, devices)
            else:
                device = find_wanted(self._wanted, devices)
            chosen.append((device, devices))
            return device

        # the previous rate is tried first, because the tempo is then kept; the next input may lack the wanted channels
        rates_hz = [self._known_rate_hz] if self._known_rate_hz is not None else []
        sets = dict.fromkeys([self._channels, ()] if is_next else [self._used_channels])
        reason = ""
        for channels, rate_hz in product(sets, (*rates_hz, None)):
            try:
                capture = Capture(
                    sample_rate_hz=rate_hz,
                    channels=channels,
                    gain_db=self._gain_db,
                    choose=choose,
                    arrived=self.arrived,
                    now=self._now,
                )
                with ExitStack() as undo:
                    undo.callback(capture.close)
                    self._watch.prepare(capture.device.source)
                    capture.start()
                    self._watch.identify()
                    undo.pop_all()
            except DeviceError as error:
                reason = str(error)
                if isinstance(error, SoundHangs):
                    chosen.clear()  # not the fault of that device
                if not chosen:
                    break  # the device is missing: other rates will not help
                continue
            with self._turn:
                self._capture = capture
                capture.set_gain(self._gain_db)  # it may have changed since
            self._used_channels, self._known_rate_hz = channels, capture.sample_rate_hz
            if self._stop.is_set():
                return ""
            if is_next:
                self._switched(*chosen[-1])
            elif self._identity is None:
                self._set_device(*chosen[-1])
            log.info("input %r is open at %d Hz", capture.device_name, capture.sample_rate_hz)
            return ""
        return self._skip(chosen, reason) if is_next else reason

    def _switched(self, device: Device, devices: list[Device]) -> None:
        """The next input is open: report it, and keep it from now on."""
        self._wanted = device.name
        self._finish_step()
        self._set_device(device, devices)
        self._news.append(f"input: {self.label}")

    def _skip(self, chosen: list[tuple[Device, list[Device]]], reason: str) -> str:
        """The next input cannot be opened: try the one after it; if there is none, keep the present one."""
        if chosen:
            log.warning("input %r is skipped: %s", chosen[-1][0].name, reason)
            self._skipped.append(identity_of(*chosen[-1]))
        else:
            self._finish_step()
            self._news.append(reason)
        return ""

    def _finish_step(self) -> None:
        """One call of `next_input` is done."""
        self._skipped = []
        with self._turn:
            self._n_next -= 1

    def _listen(self) -> str:
        """Watch the open device until it is lost. Returns why; "" if the next input is wanted, or the input is
        closed.
        """
        capture = self._capture
        if capture is None:
            return ""
        flows_s = self._now()  # by when it must deliver again
        stalled = False
        while not self._stop.is_set() and not self._n_next:
            if self._wake.wait(POLL_S):
                self._wake.clear()
                continue
            gone, suspended = self._watch.check()
            reason = capture.stopped or gone
            if reason:
                return reason
            self._log_counts()
            if capture.mix_note and (note := f"{self.label}: {capture.mix_note}") != self._noted:
                self._noted = note
                log.warning("input: %s", note)
                self._news.append(note)
            late = capture.is_late
            self.n_stalls += late and not stalled
            stalled = late
            if suspended:
                # the sound server keeps the stream and resumes it by itself
                flows_s = self._now() + RESUMED_S
                self._lose(suspended)
            elif late:
                reason = f"no sound for {capture.age_s:.1f} s"
                if self._now() > flows_s:
                    return reason
                self._lose(reason)
            elif capture.has_delivered:
                flows_s = 0.0
                self._flow(capture)
        return ""

    def _flow(self, capture: Capture) -> None:
        """Sound arrives: update the state and report the change."""
        if self.state == LOST:
            self.n_recoveries += 1
            log.warning("input %r is back (%d of %d)", self.device_name, self.n_recoveries, self.n_losses)
            self._news.append(f"sound is back ({self.n_recoveries}): {self.label}")
        if capture.zeros_s >= ZEROS_S:
            if self.state != ZEROS:
                hint = _MICROPHONE_HINT if sys.platform == "darwin" else "; is it connected, and not muted?"
                self.reason = f"{self.label} delivers only zeros{hint}"
                log.warning("input: %s", self.reason)
                self._news.append(self.reason)
                self.state = ZEROS  # last: another thread that reads the state finds the news
            return
        if self.state == WAITING:
            log.info("input %r delivers sound", self.device_name)
            if self.reason != NOT_STARTED:
                self._news.append(f"sound has started: {self.label}")
        self.state, self.reason = OK, ""

    def _lose(self, reason: str) -> None:
        """There is no sound now: update the state and report the change."""
        if self.state in (OK, ZEROS):
            number = self.n_losses + 1
            log.warning("input %r is lost (%d): %s", self.device_name, number, reason)
            self._news.append(f"sound lost ({number}): {reason}; the picture moves by itself")
            self.state, self.n_losses = LOST, number  # last: another thread that reads the count finds the news
        elif self.reason == NOT_STARTED:
            self._wait(reason)
        elif reason != self.reason:
            log.info("input %r: %s", self.device_name, reason)
        self.reason = reason

    def _release(self, reason: str = "") -> None:
        """Close the open device. reason: why it was lost; reported first, because closing can take most of a second."""
        with self._turn:
            capture, self._capture = self._capture, None
        if reason:
            self._lose(reason)
        self._watch.close()
        if capture is not None:
            self._n_dropped += capture.n_dropped
            self._n_overruns += capture.n_overruns
            capture.close()

    def _log_counts(self) -> None:
        counts = (self.n_overruns, self.n_dropped)
        if counts != self._logged and self._now() - self._logged_s >= LOG_S:
            log.warning("input %r: %d xruns, %d stale samples dropped so far", self.device_name, *counts)
            self._logged, self._logged_s = counts, self._now()
