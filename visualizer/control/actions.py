"""What a show can be told to do while it runs, and by what: a key, the performer's panel, a controller."""

from __future__ import annotations

#: every action and what it does, in the order in which help shows them
ACTIONS: dict[str, str] = {
    "help": "show keys and figures",
    "fullscreen": "fullscreen, and back",
    "next_monitor": "go to the next monitor",
    "leave_fullscreen": "leave fullscreen; twice: end",
    "quit": "end the show",
    "lock": "lock the keys",
    "screenshot": "keep the picture as a PNG",
    "blackout": "fade to black, and back",
    "freeze": "hold the picture, and let it go",
    "panel": "open the performer's panel, and close it",
    "next_preset": "the next preset",
    "previous_preset": "the preset before",
    **{f"preset_{number}": f"preset {number}" for number in range(1, 10)},
    "sensitivity_up": "more sensitive",
    "sensitivity_down": "less sensitive",
    "reset": "every parameter back to the preset's values",
    "tap": "tap the tempo",
    "tempo_half": "half the tempo",
    "tempo_double": "double the tempo",
    "next_input": "the next input",
    "volume_up": "louder",
    "volume_down": "softer",
    "mute": "mute the song, and back",
    "seek_back": "5 s back",
    "seek_forward": "5 s on",
    "previous_song": "to the beginning of the song; in its first 3 s to the song before",
    "next_song": "the next song",
}


#: actions that end a show: not among the OSC addresses that everybody knows
ENDING = frozenset({"quit", "leave_fullscreen"})
