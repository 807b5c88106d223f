"""The enterprise switch as those who start it have it: what can be seen of it, and what can be done at its lines.

`EnterpriseSwitch` is the interface of other simulators (Webex) and of the HTTP side; no more is done there than here.
Orders name a party by its leg's id, as `parties` lists them, and raise LocalError where they can't be carried out now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.media import Impairment, Recording
from harness.errors import LocalError
from harness.protocols.sip import q850
from simulators.switch.admission import REFUSING, SILENT
from simulators.switch.call import Failed, Refusal, SwitchCall
from simulators.switch.clicks import Clicks
from simulators.switch.conversation import Conversation
from simulators.switch.joining import LegState
from simulators.switch.leg import Leg, anchored
from simulators.switch.lines import Line, When, checked_forward
from simulators.switch.meetings import Meetings
from simulators.switch.parking import Slot
from simulators.switch.rooms import Room
from simulators.switch.views import Parties, Party, Subscriber, party_of
from simulators.switch.voicemail.store import Mailbox

if TYPE_CHECKING:
    from simulators.switch.core import Core
    from simulators.switch.records import Records

MAX_DIGITS: Final = 32
KEYS: Final = frozenset("0123456789*#ABCD")


class UnknownPartyError(LocalError):
    """There is no such party, site or service."""


class EnterpriseSwitch:
    """The centre of one enterprise switch, with its sites' gateways."""

    def __init__(self, core: Core, survivable: dict[str, Core], records: Records) -> None:
        self.core = core
        self.survivable = survivable
        """The gateways of sites that have one, by site."""
        self.records = records
        self.history = Parties()
        self._clicks = Clicks(core)
        core.teller = self._told
        core.on_leg_over = self.history.look

    def _told(self, _what: str, call: SwitchCall) -> None:
        for leg in {call.origin, *call.ringing, *(leg for leg in self.core.legs.values() if leg.call is call)}:
            self.history.look(leg)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Tell `subscriber(PartyEvent)` whatever happens to parties; what is returned ends that."""
        return self.history.subscribe(subscriber)

    # Looking

    def parties(self, line: str | None = None) -> list[Party]:
        """The calls that are up or being set up, as their parties have them: all, or those of a line.

        Raises UnknownLineError.
        """
        legs = self.core.legs.values() if line is None else self.core.lines.get(line).legs
        return [party_of(leg) for leg in legs]

    def party(self, party: str) -> Party:
        """One of them. Raises UnknownPartyError."""
        return party_of(self._leg(party))

    def past(self, line: str | None = None) -> list[Party]:
        """Calls that are over, oldest first: all that are remembered, or those of a line."""
        return [party for party in self.history.over if line is None or party.line == line]

    def lines(self) -> list[Line]:
        """All lines."""
        return list(self.core.lines)

    def line(self, number: str) -> Line:
        """A line. Raises UnknownLineError."""
        return self.core.lines.get(number)

    def trunks(self) -> list[dict[str, Any]]:
        """All trunks with their peers' states; those of sites' gateways too."""
        cores = [self.core, *self.survivable.values()]
        return [{"node": core.name, **trunk.shown(core.now())} for core in cores for trunk in core.trunks]

    def rooms(self) -> list[Room]:
        """Conferences that go on."""
        return list(self.core.services.rooms.open.values())

    def meetings(self) -> Meetings:
        """The meetings. Raises UnknownPartyError where there are none."""
        found = self.core.services.meetings
        if found is None:
            raise UnknownPartyError("there are no meetings: 'conference.meetings' is not set")
        return found

    def parked(self) -> list[Slot]:
        """Slots of the park that are taken."""
        park = self.core.services.park
        return list(park.slots.values()) if park is not None else []

    def mailbox(self, line: str) -> Mailbox:
        """A line's mailbox. Raises UnknownMessageError."""
        boxes = self.core.services.mailboxes
        if boxes is None:
            raise UnknownPartyError("there is no voicemail")
        return boxes.get(line)

    def _leg(self, party: str) -> Leg:
        leg = self.core.legs.get(party)
        if leg is None:
            raise UnknownPartyError(f"there is no party {party[:40]!r}")
        return leg

    def _up(self, party: str) -> Leg:
        leg = self._leg(party)
        if not leg.is_up:
            raise LocalError(f"{party} is not through: it is {leg.state}")
        return leg

    def _talk(self, party: str) -> tuple[Leg, Conversation]:
        leg = self._up(party)
        if not isinstance(leg.joined, Conversation):
            raise LocalError(f"{party} is in no conversation of two")
        return leg, leg.joined

    # Calls

    async def dial(self, line: str, number: str, *, device: str | None = None) -> Party:
        """Call for a line: its telephone, the first or the one named, is called and answers by itself, then the number.

        Returns at once. Raises UnknownLineError, LocalError where no telephone is registered or the line is busy.
        """
        return party_of(await self._clicks.dial(self.core.lines.get(line), number, device))

    async def answer(self, party: str) -> None:
        """Have a ringing telephone answer: by NOTIFY with Event ``talk`` where its line has ``remote_control``, else by
        calling it anew so that it answers by itself. Raises LocalError where it does not ring, or will not.
        """
        await self._clicks.answer(self._leg(party))

    def reject(self, party: str) -> None:
        """Refuse a call that rings, as busy. Raises LocalError where none does."""
        self._decide(party, Refusal(486, Failed.BUSY))

    def divert(self, party: str, number: str) -> None:
        """Send a call that rings elsewhere. Raises LocalError."""
        self._decide(party, Refusal(302, moved_to=checked_forward(number)))

    def _decide(self, party: str, refusal: Refusal) -> None:
        leg = self._leg(party)
        won = leg.call.won if leg.call is not None else None
        if leg.state not in (LegState.PLACED, LegState.RINGING) or won is None or won.done():
            raise LocalError(f"{party} does not ring: it is {leg.state}")
        won.set_result(refusal)

    async def hold(self, party: str) -> None:
        """Put whom a party speaks to on hold. Raises LocalError."""
        leg = self._up(party)
        if isinstance(leg.joined, Conversation):
            await self._anchor(leg, leg.joined)
        elif not isinstance(leg.joined, Room):
            raise LocalError(f"{party} speaks to nobody")
        leg.ordered_hold = True
        leg.joined.changed(leg)

    async def _anchor(self, leg: Leg, talk: Conversation) -> None:
        for each in (leg, talk.other(leg)):
            await anchored(each)
        await talk.patch()

    def resume(self, party: str) -> None:
        """Take whom a party speaks to off hold. Raises LocalError where it does not hold."""
        leg = self._up(party)
        if not leg.ordered_hold or leg.joined is None:
            raise LocalError(f"{party} was not told to hold")
        leg.ordered_hold = False
        leg.joined.changed(leg)

    async def transfer(self, party: str, *, to: str = "", onto: str = "") -> None:
        """Send whom a party speaks to on: to a number, or onto whom another party of the same line speaks to.

        Returns once that is under way. Raises LocalError.
        """
        if bool(to) == bool(onto):
            raise LocalError("a transfer goes to a number, or onto another party")
        leg, _ = self._talk(party)
        if to:
            await self.core.transfers.blind(leg, checked_forward(to))
        else:
            await self.core.transfers.attended(leg, self._leg(onto))

    async def park(self, party: str, slot: str | None = None) -> Slot:
        """Park whom a party speaks to, in a slot or in the first that is free. Raises LocalError."""
        park = self.core.services.park
        if park is None:
            raise LocalError("there is no park")
        leg, _ = self._talk(party)
        return await self.core.transfers.park(leg, park, slot or park.settings.number)

    async def retrieve(self, line: str, slot: str) -> Party:
        """Take up a parked call for a line, as `dial` calls. Raises LocalError where nobody is parked there."""
        if all(each.number != slot for each in self.parked()):
            raise LocalError(f"nobody is parked in {slot[:20]!r}")
        return await self.dial(line, slot)

    async def pick_up(self, line: str, target: str | None = None) -> Party:
        """Take a call that rings at another line, or in the line's own pickup group, for a line, as `dial` calls."""
        codes = self.core.settings.codes
        return await self.dial(line, codes.pickup if target is None else codes.directed_pickup + target)

    async def conference(self, parties: Sequence[str]) -> Room:
        """Bring the conversations of one line's parties together. Raises LocalError."""
        return await self.core.services.rooms.gather([self._up(party) for party in parties])

    def press(self, party: str, digits: str) -> None:
        """Have a party's keys pressed: whom it speaks to hears them. Raises LocalError."""
        leg = self._up(party)
        if not 0 < len(digits) <= MAX_DIGITS or not set(digits) <= KEYS:
            raise LocalError(f"1 to {MAX_DIGITS} of 0-9, *, #, A-D are due, not {digits[:MAX_DIGITS]!r}")
        for digit in digits:
            leg.key_heard(digit)

    async def mute(self, party: str, *, muted: bool = True) -> None:
        """Let nobody hear a party, or let them again. Raises LocalError, MediaError."""
        leg = self._up(party)
        if leg.speech is None:
            raise LocalError(f"the speech of {party} does not go by the switch")
        await leg.speech.port.mute(incoming=muted)

    def hang_up(self, party: str) -> None:
        """End a party's call, or refuse or give it up. Raises UnknownPartyError."""
        leg = self._leg(party)
        leg.cause = leg.cause or q850.NORMAL_CLEARING
        leg.hang_up()

    async def start_recording(self, party: str) -> None:
        """Begin to keep what both sides of a party's conversation say. Raises LocalError, MediaError."""
        leg, talk = self._talk(party)
        await self._anchor(leg, talk)
        for each in talk.legs:
            assert each.speech is not None
            await each.speech.port.record()

    async def stop_recording(self, party: str) -> tuple[Recording, Recording]:
        """End that, and return what the party said and what it heard. Raises LocalError, MediaError."""
        leg, talk = self._talk(party)
        own, other = leg.speech, talk.other(leg).speech
        if own is None or other is None:
            raise LocalError(f"the speech of {party} does not go by the switch")
        return await own.port.recorded(), await other.port.recorded()

    # Settings of a line

    def forward(self, line: str, when: When, number: str | None) -> None:
        """Forward a line's calls, or (None) no more. Raises LocalError."""
        found = self.core.lines.get(line)
        found.forwards[when] = None if number is None else checked_forward(number)
        self.core.journal.record(self.core.name, "line.set", line=line, forwards=dict(found.forwards))

    def set_line(self, line: str, *, do_not_disturb: bool | None = None, in_groups: bool | None = None) -> None:
        """Let a line be disturbed or not, and be rung by its groups or not. Raises UnknownLineError."""
        found = self.core.lines.get(line)
        if do_not_disturb is not None:
            found.do_not_disturb = do_not_disturb
        if in_groups is not None:
            found.in_groups = in_groups
        self.core.journal.record(
            self.core.name, "line.set", line=line, do_not_disturb=found.do_not_disturb, in_groups=found.in_groups
        )

    # Faults

    async def fail_trunk(self, trunk: str, fault: str | None) -> None:
        """Make a trunk fail, ``refusing`` (503 both ways) or ``silent`` (a cut wire); None: it is well.

        Raises LocalError.
        """
        _check_fault(fault)
        for core in (self.core, *self.survivable.values()):
            found = next((each for each in core.trunks if each.name == trunk), None)
            if found is not None:
                await core.admission.set_trunk_fault(found, fault or "")
                return
        self.core.trunks.get(trunk)

    def fail_registrar(self, fault: str | None) -> None:
        """Let nobody register: ``refusing`` (503), ``silent``; None: let them again. Raises LocalError."""
        _check_fault(fault)
        self.core.admission.set_registrar_fault(fault or "")

    async def cut_site(self, site: str, *, cut: bool) -> None:
        """Cut a site's wire to the centre, or mend it. Raises UnknownPartyError."""
        if all(each.name != site for each in self.core.settings.sites):
            raise UnknownPartyError(f"there is no site {site[:40]!r}")
        await self.core.admission.cut_site(site, cut=cut)

    async def impair(self, party: str, impairment: Impairment | None) -> None:
        """Make what a party is sent bad, or (None) well again. Raises LocalError, MediaError."""
        leg = self._up(party)
        if leg.speech is None:
            raise LocalError(f"the speech of {party} does not go by the switch")
        await leg.speech.impair(impairment)


def _check_fault(fault: str | None) -> None:
    if fault not in (None, REFUSING, SILENT):
        raise LocalError(f"a fault is {REFUSING} or {SILENT}, not {fault!r}")
