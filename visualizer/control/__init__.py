"""What changes a show. Pure: commands, actions, state, parameters, bindings. With ports and threads: MIDI, OSC,
Link.
"""
