"""A recorded session: its folder, its events, what writes it and what reads it. See docs/sessions.md."""
