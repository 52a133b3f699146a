"""The command line: the only room that prints, and that turns an error into an exit status."""

from .run import main

__all__ = ["main"]
