"""Recognizes a device again after devices were connected or removed: by name and host API, since numbers change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DeviceError, UnknownDevice
from .devices import PULSE, Device, find_input

# ALSA devices that stand for the current default device.
_DEFAULT_ALIASES = (PULSE, "default", "sysdefault", "pipewire")


@dataclass(frozen=True)
class Identity:
    """What identifies an input or an output. place: its position, from 0, among the n_same devices with the same
    name.
    """

    name: str
    host_api: str
    source: str
    place: int
    n_same: int
    is_output: bool = False


def identity_of(device: Device, devices: Sequence[Device], *, is_output: bool = False) -> Identity:
    """The identity of an input (is_output: an output), which must be one of `devices`."""
    same = _same(device.name, device.host_api, devices, is_output)
    return Identity(device.name, device.host_api, device.source, same.index(device), len(same), is_output)


def find_again(identity: Identity, devices: Sequence[Device]) -> Device:
    """Find the same input or output among the present devices. Raises DeviceError if it is not there.

    If several devices had the same name, all of them must be present: a single one may be the wrong one.
    """
    same = _same(identity.name, identity.host_api, devices, identity.is_output)
    if not same:
        raise DeviceError(f"{identity.name!r} is not there")
    if len(same) < identity.n_same:
        raise DeviceError(
            f"only {len(same)} of {identity.n_same} {'outputs' if identity.is_output else 'inputs'} called {identity.name!r} are there, and it is not known which"
        )
    return same[identity.place]


def find_wanted(wanted: str | int | None, devices: Sequence[Device]) -> Device:
    """As `find_input`, but ALSA's aliases of the default ("default", "pulse", ...) are replaced by the server's default
    source.

    A stream opened on an alias would move when the default changes, perhaps to a microphone in another room.
    """
    device = find_input(wanted, devices)
    if device.host_api == "ALSA" and device.name in _DEFAULT_ALIASES:
        return next((one for one in devices if one.source and one.is_default_input), device)
    return device


def first_input(wanted: str | int | None, remembered: str | None, devices: Sequence[Device]) -> tuple[Device, str]:
    """The input to start with, and a message for the user if the remembered one is missing ("" otherwise).

    wanted: see `find_wanted`; remembered: full name of the input to use if wanted is None. Raises as `find_input`.
    """
    if wanted is not None or remembered is None:
        return find_wanted(wanted, devices), ""
    there = next((device for device in devices if device.n_inputs > 0 and device.name == remembered), None)
    if there is not None:
        return there, ""
    device = find_wanted(None, devices)
    return device, f"{remembered} is not there; listening to {device.description or device.name} instead"


def following_input(identity: Identity | None, devices: Sequence[Device], passed: Sequence[Identity] = ()) -> Device:
    """The next input in the list, wrapping around, without those in `passed`. Raises UnknownDevice if there is no
    other.

    Aliases of the default are left out if the sound server's own sources are listed.
    """
    inputs = [device for device in devices if device.n_inputs > 0]
    if any(device.source for device in inputs):
        inputs = [device for device in inputs if device.source or device.name not in _DEFAULT_ALIASES]
    names = [identity_of(device, devices) for device in inputs]
    # n_same may have changed since, so only these three are compared
    keys = [(one.name, one.host_api, one.place) for one in names]
    here = (identity.name, identity.host_api, identity.place) if identity is not None else None
    start = keys.index(here) + 1 if here in keys else 0
    barred = {here, *((one.name, one.host_api, one.place) for one in passed)}
    for step in range(len(inputs)):
        index = (start + step) % len(inputs)
        if keys[index] not in barred:
            return inputs[index]
    raise UnknownDevice("there is no other input")


def _same(name: str, host_api: str, devices: Sequence[Device], is_output: bool) -> list[Device]:
    return [
        device
        for device in devices
        if (device.n_outputs if is_output else device.n_inputs) > 0
        and (device.name, device.host_api) == (name, host_api)
    ]
