"""Controllers: MIDI, OSC and Ableton Link in; commands of `actions` out. Ports, sockets and threads are here and nowhere else."""
