"""Which of several control rooms keys a radio: the higher PTT type, then who came first. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.protocols.ed137.extension import Ptt

RANK = {Ptt.TEST: 0, Ptt.NORMAL: 1, Ptt.COUPLING: 2, Ptt.PRIORITY: 3, Ptt.EMERGENCY: 4}
"""Who goes before whom. Unconfirmed: the types' own numbers, but a test goes behind everybody (decision 0091)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A session that keys."""

    ptt_id: int
    ptt: Ptt
    refused: bool = False
    """Whether the network behind the radio refused it: it stays refused until it is keyed anew."""


class Arbitration:
    """The claims on one radio; at most one a session."""

    def __init__(self) -> None:
        self._claims: dict[int, Claim] = {}
        """By PTT id, in the order in which they came."""

    def heard(self, ptt_id: int, ptt: Ptt) -> None:
        """What a session says now. Reserved types key nothing."""
        known = self._claims.get(ptt_id)
        if ptt not in RANK:
            self._claims.pop(ptt_id, None)
        elif known is None:
            self._claims[ptt_id] = Claim(ptt_id, ptt)
        elif known.ptt is not ptt:
            # It keeps its place: a change of type is not a new key.
            self._claims[ptt_id] = Claim(ptt_id, ptt, refused=known.refused and RANK[ptt] <= RANK[known.ptt])

    def refuse(self) -> None:
        """The network refused, or took the air away: nobody who keys now has it."""
        self._claims = {each: Claim(claim.ptt_id, claim.ptt, refused=True) for each, claim in self._claims.items()}

    def keys(self, ptt_id: int) -> bool:
        """Whether a session keys, in vain or not."""
        return ptt_id in self._claims

    @property
    def winner(self) -> Claim | None:
        """Who has the radio."""
        fit = [claim for claim in self._claims.values() if not claim.refused]
        return max(fit, key=lambda claim: RANK[claim.ptt], default=None)
