"""The fixtures of the Diary's tests."""

from diary_town import begin, way

__all__ = ["begin", "way"]
