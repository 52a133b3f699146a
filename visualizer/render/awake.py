"""Inhibit the screen saver."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

log = logging.getLogger(__name__)


@contextmanager
def kept_awake() -> Iterator[bool]:
    """Prevent the screen from dimming or locking while inside; yields whether the system allows that.

    Never raises: a show with a screen saver is better than none.
    """
    with ExitStack() as held:
        is_held = False
        try:
            from wakepy import keep

            mode = held.enter_context(keep.presenting(on_fail="pass"))
            is_held = bool(mode.active)
            reason = " ".join(str(mode.result.get_failure_text()).split()) if not is_held else ""
        except Exception as error:  # noqa: BLE001  desktops raise anything
            reason = f"{type(error).__name__}: {error}"
        if is_held:
            log.info("the screen saver is inhibited")
        else:
            log.warning("the screen saver cannot be inhibited: %s", reason[:300])
        try:
            yield is_held
        finally:
            try:
                held.close()
            except Exception as error:  # noqa: BLE001
                log.warning("the screen saver could not be released: %s", error)
