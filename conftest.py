"""Loads the harness's pytest plugin and fixtures for every suite."""

pytest_plugins = ("harness.pytest_plugin", "fixtures.bench", "fixtures.radio")
