"""Fixtures shared by every room's tests: a private sound server and a private screen."""

pytest_plugins = ["tests.fixtures.pulse", "tests.fixtures.screen"]
