"""Holding off the screen saver."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

log = logging.getLogger(__name__)


@contextmanager
def kept_awake() -> Iterator[bool]:
    """While this lasts the screen neither darkens nor locks by itself, where the system lets us; True if it does.

    It never fails: a show goes on under a screen saver rather than not at all.
    """
    with ExitStack() as held:
        is_held = False
        try:
            from wakepy import keep

            mode = held.enter_context(keep.presenting(on_fail="pass"))
            is_held = bool(mode.active)
            words = " ".join(str(mode.result.get_failure_text()).split()) if not is_held else ""
        except Exception as error:  # noqa: BLE001  whatever a foreign desktop answers with
            words = f"{type(error).__name__}: {error}"
        if is_held:
            log.info("the screen saver is held off")
        else:
            log.warning("the screen saver cannot be held off: %s", words[:300])
        try:
            yield is_held
        finally:
            try:
                held.close()
            except Exception as error:  # noqa: BLE001
                log.warning("the screen saver could not be let go: %s", error)
