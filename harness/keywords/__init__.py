"""Robot Framework libraries: the control room's acceptance tests in operators' words."""

from harness.keywords.library import ICCS

__all__ = ["ICCS"]
