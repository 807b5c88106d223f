"""What requests' bodies are made of: no unknown key, and JSON's own types, none taken for another."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Body(BaseModel):
    """A request's body. A number in quotes is no number, 0 is not false; 1.0 is 1, as JSON has it.

    Fields of an enumeration, a moment or a tuple are given ``Field(strict=False)``: JSON has none of them.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        return {name: _whole(each) for name, each in value.items()} if isinstance(value, dict) else value


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_whole(each) for each in value] if isinstance(value, list) else value
