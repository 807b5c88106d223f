"""Protocol values as JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from enum import Enum
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON holds it: bytes as hexadecimal digits, enumerations by name, dataclasses with their ``type``."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bytes):
        return value.hex().upper()
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__, **plain(asdict(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
