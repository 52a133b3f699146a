"""Looks: shader files found by name, and what their headers declare. Pure: no OpenGL here."""
