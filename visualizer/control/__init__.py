"""Controllers: MIDI, OSC and Ableton Link in; wishes of `actions` out. Ports, sockets and threads are here and nowhere else."""
