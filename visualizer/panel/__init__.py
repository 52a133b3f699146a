"""The performer's panel: a window in a process of its own."""
