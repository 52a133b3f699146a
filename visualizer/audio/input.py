"""An input that does not die: it is watched, and when it is lost it is found again by its name."""

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
from .capture import Capture
from .devices import Device, list_devices_at_start
from .identity import Identity, asked_for, first_input, found_again, identity_of, next_after
from .recovery import POLL_S, retry_wait_s
from .watch import StreamWatch

log = logging.getLogger(__name__)

OK, LOST, WAITING, ZEROS = "ok", "lost", "waiting", "only zeros"
NOT_STARTED = "not started"
# What the sound is analysed at until a device says what it delivers.
USUAL_RATE_HZ = 48_000
ZEROS_S = 3.0
# A stream that its server had held back flows again within this time, or is opened anew.
RESUMED_S = 0.6
# Counts that rise are logged this often at most.
LOG_S = 5.0
_MICROPHONE_HINT = "; macOS gives zeros until the microphone is allowed: System Settings, Privacy & Security, Microphone, then start again"


class LiveInput:
    """Listens to an input device for as long as the show goes on; after `start` nothing raises.

    Attributes, all for reading, from any thread:
      state           "ok", "lost" (it was there), "waiting" (it never was), "only zeros" (for 3 s: nothing is connected or allowed)
      reason          why it is not ok, one line; "" while it is
      device_name     the input that is listened to or looked for; label: the same in words for people
      sample_rate_hz  of what `drain` handed out last; it may be another after the device came back
      arrived         an event, set with every block that comes in
      n_losses, n_recoveries, n_stalls, n_backlogs    counts since the start
      n_dropped, n_overruns    samples thrown away because they were stale; times a device or the ring had no room

    A lost device is looked for by its full name and host API, several times a second at first, on a thread of its own; no other
    is ever taken in its place. The sound server is asked four times a second where our stream hangs: one that was moved to
    another source counts as lost.
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
        """wanted: number, name or part of a name; None: the remembered input, by its full name, and where that is not there
        the default one, which is then said. channels: those to be mixed, from 1; all if none. on_choice: called with the full
        name of the input that was wanted once it is known, and of each that `next_input` comes to; on any thread.

        When there is no input at all the one wanted is waited for. When there are others: UnknownDevice if must_be_there, else
        it is waited for too (the remembered one, if there is that). Raises DeviceError where sound cannot be reached on this machine, BadInput for gain or channels.
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
        self.n_losses = self.n_recoveries = self.n_stalls = self.n_backlogs = 0
        self._n_dropped = self._n_overruns = 0  # of the streams before this one
        self._n_dropped_seen = 0
        self._stamp_s = now()
        self._identity: Identity | None = None
        self._capture: Capture | None = None
        self.arrived = threading.Event()
        self._watch = StreamWatch(now=now)
        self._known_rate_hz: int | None = None
        self._turn = threading.Lock()  # for what other threads set: gain, and how many inputs to go on by
        self._n_next = 0
        self._passed: list[Identity] = []  # inputs that did not open while going on to the next one
        self._used_channels = self._channels  # of the input that is listened to
        self._news: deque[str] = deque(maxlen=8)
        self._noted = ""  # said of the mix of its channels
        self._logged = (0, 0)
        self._logged_s = now()
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._look(must_be_there)

    # -- for the drawing thread ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen, or to wait. Returns at once; starting twice is fine."""
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._supervise, name="audio-input", daemon=True)
            self._thread.start()

    def drain(self) -> tuple[list[np.ndarray], float]:
        """All sound since the last call, oldest first: blocks (n,) float32 of one rate, and when the newest came in (`now`).

        No block while there is no sound. What waited for more than half a second is dropped and counted.
        """
        capture = self._capture
        if capture is None:
            return [], self._stamp_s
        blocks, stamp_s = capture.drain()
        if blocks:
            self.sample_rate_hz, self._stamp_s = capture.sample_rate_hz, stamp_s
        if self.n_dropped > self._n_dropped_seen:
            self.n_backlogs += 1
            self._n_dropped_seen = self.n_dropped
        return blocks, self._stamp_s

    @property
    def gain_db(self) -> float:
        """How much louder the input is taken, dB."""
        return self._gain_db

    def set_gain(self, gain_db: float) -> None:
        """Take it louder or softer from now on. gain_db: -60..60."""
        with self._turn:
            self._gain_db = gain_db
            if self._capture is not None:
                self._capture.set_gain(gain_db)

    def take_peaks(self) -> tuple[float, ...]:
        """The largest sample of each channel that is mixed since the last call, after the gain, full scale = 1; () without sound."""
        capture = self._capture
        return () if capture is None else tuple(capture.take_peaks().tolist())

    @property
    def n_dropped(self) -> int:
        """Samples thrown away because they were stale."""
        capture = self._capture
        return self._n_dropped + (capture.n_dropped if capture is not None else 0)

    @property
    def n_overruns(self) -> int:
        """Times a device or the ring had no room."""
        capture = self._capture
        return self._n_overruns + (capture.n_overruns if capture is not None else 0)

    def next_input(self) -> None:
        """Go to the next input device, in the order of the list; `news` reports which it is. Each call goes on by one."""
        with self._turn:
            self._n_next += 1
        self._wake.set()

    def news(self) -> str | None:
        """A line that has not been told yet, if there is one."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Stop, within two seconds even if a device hangs. Closing twice is fine."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(2.0)
            if self._thread.is_alive():
                log.warning("the input's thread hangs in the sound system; it is left behind")

    def __enter__(self) -> LiveInput:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the first look --------------------------------------------------------------------------------------------

    def _look(self, must_be_there: bool) -> None:
        """See which device is meant, before the show begins."""
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
            self._know(device, found)
            self.sample_rate_hz = device.default_rate_hz

    def _wait(self, reason: str) -> None:
        self.reason = reason
        log.warning("no input yet, waiting for %s: %s", self.device_name, reason)
        self._news.append(f"no sound yet: waiting for {self.device_name}; until then the picture moves by itself")

    def _know(self, device: Device, devices: Sequence[Device]) -> None:
        self._identity = identity_of(device, devices)
        self.device_name, self.label = device.name, device.description or device.name
        if self._wanted is not None and self._on_choice is not None:
            self._on_choice(device.name)

    # -- on the input's own thread ---------------------------------------------------------------------------------

    def _supervise(self) -> None:
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
                if reason != self.reason:  # it may fail in the same way many times a minute
                    log.exception("the input's watch failed; going on")
            opened = self._capture is not None
            self._let_go("" if self._stop.is_set() else reason)
            wait_s = 0.0 if self._n_next else retry_wait_s(wait_s, was_open=opened)
        self._let_go()

    def _open(self) -> str:
        """Open the input: "" when it is open, else why it is not."""
        going_on = self._n_next > 0
        identity = self._identity
        if not going_on and identity is not None and identity.source:
            missing = self._watch.lacks(identity.source)
            if missing:
                return missing
        chosen: list[tuple[Device, list[Device]]] = []

        def choose(devices: list[Device]) -> Device:
            if going_on:
                device = next_after(self._identity, devices, self._passed)
            elif self._identity is not None:
                device = found_again(self._identity, devices)
            else:
                device = asked_for(self._wanted, devices)
            chosen.append((device, devices))
            return device

        # the rate it had is tried first, since the tempo is then kept; another device may lack the channels asked for
        rates_hz = [self._known_rate_hz] if self._known_rate_hz is not None else []
        sets = dict.fromkeys([self._channels, ()] if going_on else [self._used_channels])
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
                    self._watch.before_opening(capture.device.source)
                    capture.start()
                    self._watch.opened()
                    undo.pop_all()
            except DeviceError as error:
                reason = str(error)
                if isinstance(error, SoundHangs):
                    chosen.clear()  # no device's fault
                if not chosen:
                    break  # it is not there at any rate
                continue
            with self._turn:
                self._capture = capture
                capture.set_gain(self._gain_db)  # it may have been changed since
            self._used_channels, self._known_rate_hz = channels, capture.sample_rate_hz
            if self._stop.is_set():
                return ""
            if going_on:
                self._arrived(*chosen[-1])
            elif self._identity is None:
                self._know(*chosen[-1])
            log.info("input %r is open at %d Hz", capture.device_name, capture.sample_rate_hz)
            return ""
        return self._passed_over(chosen, reason) if going_on else reason

    def _arrived(self, device: Device, devices: list[Device]) -> None:
        """The next input is open."""
        self._wanted = device.name
        self._went_on()
        self._know(device, devices)
        self._news.append(f"input: {self.label}")

    def _passed_over(self, chosen: list[tuple[Device, list[Device]]], reason: str) -> str:
        """The next input does not open: the one after it is next; where there is none, the one before stays."""
        if chosen:
            log.warning("input %r is passed over: %s", chosen[-1][0].name, reason)
            self._passed.append(identity_of(*chosen[-1]))
        else:
            self._went_on()
            self._news.append(reason)
        return ""

    def _went_on(self) -> None:
        """One of the commands to go on has been carried out."""
        self._passed = []
        with self._turn:
            self._n_next -= 1

    def _listen(self) -> str:
        """Until the device is lost: why; "" when another input is wanted, or none."""
        capture = self._capture
        if capture is None:
            return ""
        flows_s = self._now()  # when it last flowed, or should begin to flow again
        stalled = False
        while not self._stop.is_set() and not self._n_next:
            if self._wake.wait(POLL_S):
                self._wake.clear()
                continue
            gone, held = self._watch.look()
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
            if held:
                # the server keeps the stream, and lets it go on by itself
                flows_s = self._now() + RESUMED_S
                self._lose(held)
            elif late:
                reason = f"no sound came in for {capture.age_s:.1f} s"
                if self._now() > flows_s:
                    return reason
                self._lose(reason)
            elif capture.has_heard:
                flows_s = 0.0
                self._flow(capture)
        return ""

    def _flow(self, capture: Capture) -> None:
        """Sound comes in."""
        if self.state == LOST:
            self.n_recoveries += 1
            log.warning("input %r is back (%d of %d)", self.device_name, self.n_recoveries, self.n_losses)
            self._news.append(f"sound is back ({self.n_recoveries}): {self.label}")
        if capture.zeros_s >= ZEROS_S:
            if self.state != ZEROS:
                hint = _MICROPHONE_HINT if sys.platform == "darwin" else "; is it connected, and not muted?"
                self.reason = f"{self.label} gives only zeros{hint}"
                log.warning("input: %s", self.reason)
                self._news.append(self.reason)
                self.state = ZEROS  # last: another thread that reads the state finds the news
            return
        if self.state == WAITING:
            log.info("input %r is heard", self.device_name)
            if self.reason != NOT_STARTED:
                self._news.append(f"sound is there: {self.label}")
        self.state, self.reason = OK, ""

    def _lose(self, reason: str) -> None:
        """There is no sound now."""
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

    def _let_go(self, reason: str = "") -> None:
        """Close what is open. reason: why it is lost, told before: closing one that is gone takes most of a second."""
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
