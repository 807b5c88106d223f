"""TETRA subscriber identities: MCC, MNC and SSI, and how the PEI writes them in digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from harness.errors import PeiRemoteError

SSI_DIGITS = 8
"""An SSI is the last eight digits of a TSI as the PEI writes it [C]."""
SSI_MAX = (1 << 24) - 1
MCC_MAX = 999
MNC_MAX = (1 << 14) - 1
TSI_MIN_DIGITS, TSI_MAX_DIGITS = 15, 17
"""A TSI is 15 to 17 digits: MCC in 3 or 4, MNC in 4 or 5, SSI in 8 [C]."""
SSIS_KEPT = 16_384
"""Numbers whose SSI is kept: a network has no more terminals that talk in an hour."""
TEST_MCC, TEST_MNC = 1, 1
"""Test networks' country code (ITU-T E.212, MCC 001): no force's radio has it."""


@dataclass(frozen=True, slots=True)
class Tsi:
    """A whole TETRA subscriber identity; of one terminal (ITSI) or of one talkgroup (GTSI)."""

    mcc: int
    """Mobile country code, 0-999."""
    mnc: int
    """Mobile network code, 0-16383 (14 bits)."""
    ssi: int
    """Short subscriber identity, 0-16777215 (24 bits): ISSI of a terminal, GSSI of a talkgroup."""

    def __post_init__(self) -> None:
        if not 0 <= self.mcc <= MCC_MAX or not 0 <= self.mnc <= MNC_MAX or not 0 <= self.ssi <= SSI_MAX:
            raise PeiRemoteError(f"TSI out of range: MCC {self.mcc}, MNC {self.mnc}, SSI {self.ssi}")

    @property
    def digits(self) -> str:
        """The 17 digits of `+CTGS: 1,09011638300000001` [C]: MCC in 4, MNC in 5, SSI in 8."""
        return f"{self.mcc:04d}{self.mnc:05d}{self.ssi:08d}"

    @property
    def mni(self) -> str:
        """The network's identity as `+CREG` and `+CTDGR` write it, e.g. `90116383` [C]."""
        return f"{self.mcc:03d}{self.mnc:05d}"


def parse_tsi(digits: str) -> Tsi:
    """A TSI from its 15, 16 or 17 digits.

    15 are 3+4+8, 17 are 4+5+8. 16 can be 3+5+8 or 4+4+8: a leading zero means a padded MCC, as MCC 0xx is not assigned.

    Raises:
        PeiRemoteError: other characters, other lengths, or a part out of range.
    """
    if not (digits.isascii() and digits.isdigit()) or not TSI_MIN_DIGITS <= len(digits) <= TSI_MAX_DIGITS:
        raise PeiRemoteError(f"not a TSI of 15 to 17 digits: {digits[:40]!r}")
    mcc_digits = 4 if len(digits) == TSI_MAX_DIGITS or (len(digits) == TSI_MAX_DIGITS - 1 and digits[0] == "0") else 3
    return Tsi(int(digits[:mcc_digits]), int(digits[mcc_digits:-SSI_DIGITS]), int(digits[-SSI_DIGITS:]))


@lru_cache(maxsize=SSIS_KEPT)
def parse_ssi(digits: str) -> int:
    """The SSI of a number that is an SSI (1-8 digits) or a whole TSI (15-17 digits).

    Raises:
        PeiRemoteError: neither of the two.
    """
    if len(digits) >= TSI_MIN_DIGITS:
        return parse_tsi(digits).ssi
    if not (digits.isascii() and digits.isdigit()) or len(digits) > SSI_DIGITS or int(digits) > SSI_MAX:
        raise PeiRemoteError(f"not an SSI: {digits[:40]!r}")
    return int(digits)
