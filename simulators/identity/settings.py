"""What a simulated identity provider is told at its start: who can sign in, and by what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from harness.errors import OneTimeCodeError
from harness.protocols.totp import secret_of
from simulators.settings import Strict

Email = Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,189}$")]


class IdentityAccount(Strict):
    """Somebody who can sign in."""

    email: Email
    password: SecretStr
    totp_secret: SecretStr | None = None
    """The secret of their one-time codes, base32; left out: they have no second factor."""

    @field_validator("totp_secret")
    @classmethod
    def _can_be_read(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                secret_of(value.get_secret_value())
            except OneTimeCodeError as error:
                raise ValueError(str(error)) from None
        return value


class IdentitySettings(Strict):
    """How the identity provider is laid out."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where its pages are; 0: any that is free."""
    accounts: tuple[IdentityAccount, ...] = Field(min_length=1, max_length=1_000)
    second_factor: Literal["required", "off"] = "required"
    """``off``: a provider that was set up wrongly, and lets people in by their password alone."""
    failures: Annotated[int, Field(ge=1, le=100)] = 5
    """Wrong passwords or codes in a row after which an account is locked. [p]"""
    locked_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """Seconds for which it is. [p]"""

    @model_validator(mode="after")
    def _once_each(self) -> IdentitySettings:
        emails = [each.email.lower() for each in self.accounts]
        if twice := sorted({each for each in emails if emails.count(each) > 1}):
            raise ValueError(f"an account's email is its own, and {twice[0]!r} is given twice")
        return self
