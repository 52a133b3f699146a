"""DeepDream pictures that deepen on every kick of your music."""

__version__ = "0.1.0"
