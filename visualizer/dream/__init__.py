"""The dream: what a network sees in an image, computed as frames that deepen.

This file imports nothing: settings.py reads the facts of the networks in `dream/nets`, and the rest of this room
imports settings.py. torch is loaded when the first dream frame is asked for.
"""
