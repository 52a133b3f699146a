"""Measurements of the program, which is imported before numpy, as when it runs: it sets how numpy is loaded."""

import visualizer as visualizer
