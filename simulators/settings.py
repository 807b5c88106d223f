"""What simulators' settings are made of: parts that take no unknown key, bounds of a time, telephone numbers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class Strict(BaseModel):
    """Settings in which no other key is allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Span(Strict):
    """Bounds between which a time lies, evenly drawn."""

    least: Seconds
    most: Seconds

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.most < self.least:
            raise ValueError("'most' lies before 'least'")
        return self
