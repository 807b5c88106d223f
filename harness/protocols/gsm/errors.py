"""Errors of AT commands by number (3GPP TS 27.005 section 3.2.5, TS 27.007 section 9.2): those that are used here."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from harness.errors import ModemRemoteError


class Cms(IntEnum):
    """``+CMS ERROR``: of commands about messages."""

    UNASSIGNED_NUMBER = 1
    CONGESTION = 42
    NOT_ALLOWED = 302
    NOT_SUPPORTED = 303
    INVALID_PDU = 304
    INVALID_TEXT = 305
    SIM_NOT_INSERTED = 310
    SIM_PIN = 311
    MEMORY_FAILURE = 320
    INVALID_INDEX = 321
    MEMORY_FULL = 322
    NO_CENTRE_ADDRESS = 330
    NO_NETWORK = 331
    NETWORK_TIMEOUT = 332
    NO_CNMA_EXPECTED = 340
    UNKNOWN = 500


class Cme(IntEnum):
    """``+CME ERROR``: of all other commands."""

    NOT_ALLOWED = 3
    NOT_SUPPORTED = 4
    SIM_NOT_INSERTED = 10
    SIM_PIN = 11
    INCORRECT_PASSWORD = 16
    INVALID_INDEX = 21
    TEXT_TOO_LONG = 24
    INVALID_CHARACTERS = 25
    NO_NETWORK = 30
    INCORRECT_PARAMETERS = 50
    UNKNOWN = 100


_CMS: Final = {
    Cms.UNASSIGNED_NUMBER: "unassigned (unallocated) number",
    Cms.CONGESTION: "congestion",
    Cms.NOT_ALLOWED: "operation not allowed",
    Cms.NOT_SUPPORTED: "operation not supported",
    Cms.INVALID_PDU: "invalid PDU mode parameter",
    Cms.INVALID_TEXT: "invalid text mode parameter",
    Cms.SIM_NOT_INSERTED: "SIM not inserted",
    Cms.SIM_PIN: "SIM PIN required",
    Cms.MEMORY_FAILURE: "memory failure",
    Cms.INVALID_INDEX: "invalid memory index",
    Cms.MEMORY_FULL: "memory full",
    Cms.NO_CENTRE_ADDRESS: "SMSC address unknown",
    Cms.NO_NETWORK: "no network service",
    Cms.NETWORK_TIMEOUT: "network timeout",
    Cms.NO_CNMA_EXPECTED: "no +CNMA acknowledgement expected",
    Cms.UNKNOWN: "unknown error",
}
_CME: Final = {
    Cme.NOT_ALLOWED: "operation not allowed",
    Cme.NOT_SUPPORTED: "operation not supported",
    Cme.SIM_NOT_INSERTED: "SIM not inserted",
    Cme.SIM_PIN: "SIM PIN required",
    Cme.INCORRECT_PASSWORD: "incorrect password",
    Cme.INVALID_INDEX: "invalid index",
    Cme.TEXT_TOO_LONG: "text string too long",
    Cme.INVALID_CHARACTERS: "invalid characters in text string",
    Cme.NO_NETWORK: "no network service",
    Cme.INCORRECT_PARAMETERS: "incorrect parameters",
    Cme.UNKNOWN: "unknown",
}


def words(error: Cms | Cme) -> str:
    """The error as verbose results have it."""
    # Two enums of numbers: equal members of both would share a place in one dictionary.
    return _CMS[error] if isinstance(error, Cms) else _CME[error]


class RefusedError(ModemRemoteError):
    """A command that a modem answers with an error: which one, and why. None: the bare ``ERROR`` of an unknown one."""

    def __init__(self, error: Cms | Cme | None, why: str) -> None:
        super().__init__(why if error is None else f"{why}: {int(error)} ({words(error)})")
        self.error = error
        self.why = why
