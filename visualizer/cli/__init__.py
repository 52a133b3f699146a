"""The command line. Only this package prints, and turns errors into exit statuses."""

from .run import main

__all__ = ["main"]
