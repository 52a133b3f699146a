"""Tests of the program, which is imported before numpy: it sets how numpy is loaded."""

import visualizer as visualizer
