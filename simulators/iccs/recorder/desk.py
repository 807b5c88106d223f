"""What people do with recordings: replay at once, find, play, export, hold; by right, and each act audited."""

from __future__ import annotations

from typing import Any, Final

from harness.protocols import uk_numbers
from simulators.iccs.audit.record import Audit, NotAuthorisedError
from simulators.iccs.incidents import IncidentLog
from simulators.iccs.positions import Position
from simulators.iccs.recorder.legs import Kind, Leg, exported
from simulators.iccs.recorder.recorder import Recorder
from simulators.iccs.recorder.store import Store
from simulators.iccs.shared import Shared

REPLAY_S: Final = 1_800.0
"""How far back an instant replay goes: NICCS-REC-002's half hour."""


class RecordingsDesk:
    """The recordings of one control room, as positions have them.

    A position replays its own last half hour without a right. `replay` is the right to find and play all recordings,
    `numbers` that to callers' numbers, `export` that to take one away, `hold` that to keep one beyond its time.
    """

    def __init__(self, shared: Shared, recorder: Recorder, incidents: IncidentLog, audit: Audit) -> None:
        self._shared = shared
        self._recorder = recorder
        self._incidents = incidents
        self._audit = audit

    def own(self, position: Position) -> list[dict[str, Any]]:
        """What was said by and to a position in the last half hour, newest first. Raises PositionError."""
        position.seated()
        since = self._shared.now() - REPLAY_S
        store = self._recorder.store
        return self._shown(position, store, store.find(lambda leg: self._is_own(position, leg, since), 500))

    def _is_own(self, position: Position, leg: Leg, since: float) -> bool:
        if leg.ended is not None and leg.ended < since:
            return False
        if leg.about.position is not None:
            return leg.about.position == position.id
        if leg.about.record is not None:
            return any(each.id == leg.about.record and position.id in each.positions for each in self._shared.records)
        return leg.about.talkgroup in position.listening.talkgroups

    def find(
        self,
        position: Position,
        *,
        kind: Kind | None = None,
        since: float | None = None,
        until: float | None = None,
        of: str | None = None,
        number: str | None = None,
        issi: int | None = None,
        mcptt_id: str | None = None,
        talkgroup: str | None = None,
        incident: str | None = None,
        record: str | None = None,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """The newest recordings that fit all that is given, newest first; ``since`` and ``until`` bound when a leg went
        on, ``of`` is a position. Raises NotAuthorisedError, IncidentError, RecorderError."""
        with self._audit.of(position, "find recordings", incident or record or of or talkgroup or "-", needs="replay"):
            if number is not None and "numbers" not in position.settings.may:
                raise NotAuthorisedError(f"{position.id} has no right to numbers")
            records = None if incident is None else self._records_of(incident)

            def fits(leg: Leg) -> bool:
                about = leg.about
                return (
                    (kind is None or about.kind == kind)
                    and (since is None or leg.ended is None or leg.ended >= since)
                    and (until is None or leg.began <= until)
                    and (of is None or about.position == of)
                    and (number is None or (about.cli is not None and uk_numbers.same(about.cli, number)))
                    and (issi is None or about.issi == issi)
                    and (mcptt_id is None or about.mcptt_id == mcptt_id)
                    and (talkgroup is None or about.talkgroup == talkgroup)
                    and (record is None or about.record == record)
                    and (records is None or about.record in records or self._in_radio_of(leg, incident or ""))
                )

            store = self._recorder.store
            return self._shown(position, store, store.find(fits, limit))

    def _records_of(self, incident: str) -> set[str]:
        """The records of an incident's calls."""
        named = self._incidents.get(incident).record
        found = {each.id for each in self._shared.records if incident in each.incidents}
        return found | ({named} if named is not None else set())

    def _in_radio_of(self, leg: Leg, incident: str) -> bool:
        """Whether a leg is of a unit's radio while that was assigned to an incident."""
        about = leg.about
        return (about.issi is not None or about.mcptt_id is not None) and incident in leg.incidents

    async def play(self, position: Position, id_: str) -> bytes:
        """A recording's speech as a WAV file, of a leg that goes on until now.

        Raises NotAuthorisedError for another's, UnknownLegError.
        """
        leg = self._recorder.store.get(id_)
        own = self._is_own(position, leg, self._shared.now() - REPLAY_S)
        with self._audit.of(position, "play recording", id_, needs=None if own else "replay"):
            await self._recorder.up_to_now(leg)
            return leg.wav()

    async def export(self, position: Position, id_: str, why: str) -> bytes:
        """A recording with a manifest, as a ZIP archive; the hash stands in the audit too."""
        leg = self._recorder.store.get(id_)
        await self._recorder.up_to_now(leg)
        told = leg.shown(numbers="numbers" in position.settings.may) | {"exported_by": position.id, "why": why}
        archive, digest = exported(leg, told)
        with self._audit.of(position, "export recording", id_, needs="export", why=why, more={"sha256": digest}):
            return archive

    def hold(self, position: Position, id_: str, why: str | None) -> dict[str, Any]:
        """Keep a recording whatever its age, or (``why`` None) no more."""
        leg = self._recorder.store.get(id_)
        act = "release recording" if why is None else "hold recording"
        with self._audit.of(position, act, id_, needs="hold", why=why or ""):
            for store in self._recorder.stores.values():
                if not store.failed:
                    store.release(leg) if why is None else store.hold(leg, why)
        return self._shown(position, self._recorder.store, [leg])[0]

    @staticmethod
    def _shown(position: Position, store: Store, legs: list[Leg]) -> list[dict[str, Any]]:
        numbers = "numbers" in position.settings.may
        return [leg.shown(numbers=numbers) | {"held": store.held(leg)} for leg in legs]
