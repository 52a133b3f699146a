"""`python -m visualizer`."""

import os

from .cli import main

if "VISUALIZER_SPARE" in os.environ:
    # a supervisor has this process wait, with all it needs loaded, until the show that runs now dies
    from .show.lifeline import wait_as_spare
    from .show.standby import preparations

    wait_as_spare(preparations)
main()
