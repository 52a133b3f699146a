"""The stage of a rehearsal under the supervisor that `live` has: `python -m visualizer.show.rehearsal.supervised`."""

from __future__ import annotations

import sys

from ..supervise import supervise

if __name__ == "__main__":
    sys.exit(supervise([], command=[sys.executable, "-m", "visualizer.show.rehearsal.stage"]))
