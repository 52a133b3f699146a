"""Run the show of a rehearsal under the supervisor: `python -m visualizer.diagnostics.rehearsal.supervised`."""

from __future__ import annotations

import sys

from ...supervision.supervise import supervise

if __name__ == "__main__":
    sys.exit(supervise([], command=[sys.executable, "-m", "visualizer.diagnostics.rehearsal.show_process"]))
