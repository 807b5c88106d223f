"""The SMS Diary: appointments of the public with local officers, texts that tell of them, and what people answer."""

from simulators.diary.settings import DiarySettings
from simulators.diary.simulator import DiarySimulator

__all__ = ["DiarySettings", "DiarySimulator"]
