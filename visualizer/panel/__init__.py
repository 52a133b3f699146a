"""The performer's panel: a control window that runs in its own process."""
