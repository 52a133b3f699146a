"""`python -m visualizer`."""

from .cli import main

main()
