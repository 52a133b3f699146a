"""A recorded night: its folder, its events, what writes it and what reads it. See docs/sessions.md."""
