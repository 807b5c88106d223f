"""The SMS Diary in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent, Name
from simulators.diary.settings import DiarySettings


class SmsDiaryComponent(BoundComponent):
    """What keeps the appointments of the public with local officers, and tells them by text."""

    role: Literal["sms_diary"]
    simulator: DiarySettings = DiarySettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    gateway: Name | None = None
    """An ``sms_gateway``, simulated or real, by which a simulated Diary sends; without one texts wait."""
    crm: Name | None = None
    """A ``crm``, simulated or real, that takes advisers' tasks of a simulated Diary and knows records' grades."""
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$", max_length=300)] | None = None
    """Where a real Diary is."""
    adapter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    """How a real Diary is spoken to: a name among the entry points ``iccs.sms_diary``."""
    token: SecretStr | None = None
    """What a real Diary asks for."""

    @model_validator(mode="after")
    def _fits(self) -> SmsDiaryComponent:
        if self.binding is Binding.REAL and (self.url is None or self.adapter is None):
            raise ValueError("a real sms_diary needs 'url' and 'adapter', an installed one of the vendor's")
        real = {"url", "adapter", "token"} & self.model_fields_set
        if self.binding is Binding.SIMULATED and real:
            told = ", ".join(repr(name) for name in sorted(real))
            raise ValueError(f"{told}: for a real Diary; a simulator's stand under 'simulator'")
        if self.binding is not Binding.SIMULATED and (self.gateway, self.crm) != (None, None):
            raise ValueError("'gateway' and 'crm': a real Diary has its own; these are for a simulated one")
        self.only_a_simulator_is_laid_out()
        return self
