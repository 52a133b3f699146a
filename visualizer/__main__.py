"""`python -m visualizer`."""

import os

from .cli import main

if "VISUALIZER_SPARE" in os.environ:
    # a supervisor has this process wait, with all it needs loaded, until the show that runs now dies
    from .show.standby import preparations
    from .supervision.lifeline import wait_as_spare

    wait_as_spare(preparations)
main()
