"""Loads the harness's pytest plugin and fixtures for every suite; no example of Hypothesis's is judged by its time."""

from hypothesis import HealthCheck, settings

pytest_plugins = ("harness.pytest_plugin", "fixtures.bench", "fixtures.radio")

# Tests that no clock judges run on what time others leave: an example may take as long as it takes.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")
