"""Which device is which, when devices come and go: by name, never by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DeviceError, UnknownDevice
from .devices import PULSE, Device, find_input

# Names by which ALSA reaches whatever is the default just now.
_GO_BETWEENS = (PULSE, "default", "sysdefault", "pipewire")


@dataclass(frozen=True)
class Identity:
    """An input, or an output, as it is known again. place: which of the n_same that bear this name, from 0."""

    name: str
    host_api: str
    source: str
    place: int
    n_same: int
    is_output: bool = False


def identity_of(device: Device, devices: Sequence[Device], *, is_output: bool = False) -> Identity:
    """How to know this input (is_output: this output), one of devices, again."""
    same = _same(device.name, device.host_api, devices, is_output)
    return Identity(device.name, device.host_api, device.source, same.index(device), len(same), is_output)


def found_again(identity: Identity, devices: Sequence[Device]) -> Device:
    """The very same input or output among the devices there are now. Raises DeviceError while it is not there.

    Of several with the same name none is taken until all of them are back: the one that is left may be another.
    """
    same = _same(identity.name, identity.host_api, devices, identity.is_output)
    if not same:
        raise DeviceError(f"{identity.name!r} is not there")
    if len(same) < identity.n_same:
        raise DeviceError(
            f"{len(same)} of {identity.n_same} {'outputs' if identity.is_output else 'inputs'} called {identity.name!r} are there; which is not known"
        )
    return same[identity.place]


def asked_for(wanted: str | int | None, devices: Sequence[Device]) -> Device:
    """The input meant, see `find_input`; a go-between that follows the sound server's default stands for that default itself.

    A stream to "default" would follow wherever the default goes, and that may be another room. Errors as find_input.
    """
    device = find_input(wanted, devices)
    if device.host_api == "ALSA" and device.name in _GO_BETWEENS:
        return next((one for one in devices if one.source and one.is_default_input), device)
    return device


def first_input(wanted: str | int | None, remembered: str | None, devices: Sequence[Device]) -> tuple[Device, str]:
    """The input to begin with, and a line for the user where the remembered one is not there, "" elsewhere. Errors as find_input.

    wanted: see `asked_for`; remembered: full name of the one to be taken where none is wanted.
    """
    if wanted is not None or remembered is None:
        return asked_for(wanted, devices), ""
    there = next((device for device in devices if device.n_inputs > 0 and device.name == remembered), None)
    if there is not None:
        return there, ""
    device = asked_for(None, devices)
    return device, f"{remembered} is not there: listening to {device.description or device.name}"


def next_after(identity: Identity | None, devices: Sequence[Device], passed: Sequence[Identity] = ()) -> Device:
    """The input that follows, round and round, without `passed`. Raises UnknownDevice when there is no other.

    Go-betweens are left out where the sound server's own sources are known.
    """
    inputs = [device for device in devices if device.n_inputs > 0]
    if any(device.source for device in inputs):
        inputs = [device for device in inputs if device.source or device.name not in _GO_BETWEENS]
    names = [identity_of(device, devices) for device in inputs]
    # what is known of a device may have changed in n_same; its name and place have not
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
