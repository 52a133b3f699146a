"""`python -m visualizer`."""

import os

from .cli import main

if "VISUALIZER_STANDBY" in os.environ:
    # a hot standby: it loads what a show needs and waits until the supervisor activates it
    from .show.standby import preparations
    from .supervision.lifeline import wait_as_standby

    wait_as_standby(preparations)
main()
