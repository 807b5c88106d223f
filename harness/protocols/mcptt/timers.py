"""Times and counts of floor control, all configurable (3GPP TS 24.380; defaults as TS 24.384 has them)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParticipantTimers:
    """A terminal's, seconds and counts."""

    t100_release: float = 1.0
    """Release is repeated."""
    c100: int = 3
    t101_request: float = 1.0
    """Request is repeated."""
    c101: int = 3
    t103_end_of_media: float = 4.0
    """No speech came: the floor is taken for idle."""
    t104_queue_position: float = 1.0
    """Queue Position Request is repeated."""
    c104: int = 3
    t132_queued_granted: float = 2.0
    """How long a user has to press once a floor is granted out of the queue."""


@dataclass(frozen=True, slots=True)
class ServerTimers:
    """A floor control server's, seconds and counts. T1, T2 and T4 may be infinite: they never end then."""

    t1_end_of_media: float = 4.0
    """The talker sends no speech: the floor is free."""
    t2_stop_talking: float = 30.0
    """How long one may talk."""
    t3_stop_talking_grace: float = 3.0
    """How long speech is still passed on after the floor was revoked."""
    t4_inactivity: float = 30.0
    """Nobody talks: the call is to be released."""
    t7_floor_idle: float = 1.0
    """Idle is repeated."""
    c7: int = 10
    t8_floor_revoke: float = 1.0
    """Revoke is repeated until the talker releases."""
    t20_granted: float = 1.0
    """Granted to one who waited is repeated until it is acknowledged or speech comes."""
    c20: int = 3
