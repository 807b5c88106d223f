"""Meetings: made, joined by telephone past a lobby, recorded, ended; participants and invitees."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Email,
    Id,
    Items,
    Line,
    Moment,
    Most,
    Prose,
    Sent,
    after_number,
    answer,
    by_number,
    needs,
    stamped,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.conferencing import (
    attendees,
    begin,
    expected,
    leg_of,
    participants,
    stop_recording,
)
from simulators.webex.errors import conflict, forbidden, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.meeting_shapes import (
    CallInNumber,
    Controls,
    Invitee,
    JoinSecurity,
    Meeting,
    MeetingTelephony,
    Participant,
)
from simulators.webex.shapes import Person

Read = Annotated[Caller, needs("meeting:schedules_read")]
Write = Annotated[Caller, needs("meeting:schedules_write")]
Seeing = Annotated[Caller, needs("meeting:participants_read")]
Admitting = Annotated[Caller, needs("meeting:participants_write")]
Controlling = Annotated[Caller, needs("meeting:controls_write")]
SITE: Final = "force.webex.example"
MAX_INVITED: Final = 1_000


class InviteeSent(Sent):
    """Somebody who is expected."""

    email: Email
    display_name: Line | None = None
    co_host: bool = False
    panelist: bool = False


class MeetingInviteeSent(InviteeSent):
    """Somebody who is expected, and at which meeting."""

    meeting_id: Id


class MeetingSent(Sent):
    """A meeting that is to be."""

    title: Line
    agenda: Prose | None = None
    start: Moment
    end: Moment
    timezone: Line = "UTC"
    scheduled_type: Literal["meeting", "webinar"] = "meeting"
    unlocked_meeting_join_security: JoinSecurity | None = None
    """None: a meeting has a lobby, and a webinar's attendees are let in at once [unconfirmed]."""
    recurrence: (
        Annotated[str, Field(max_length=256, pattern=r"^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+-]+)*$")]
        | None
    ) = None
    """When it is held again, a rule of RFC 2445."""
    host_email: Email | None = None
    """Whose meeting it is, where an administrator makes it for them."""
    send_email: bool = True
    """Whether the service writes to those who are invited; this one writes to nobody."""
    invitees: list[InviteeSent] = Field(default=[], max_length=MAX_INVITED)


class MeetingChanged(Sent):
    """What is to change."""

    title: Line | None = None
    agenda: Prose | None = None


class AdmittedSent(Sent):
    """One who is let in."""

    participant_id: Annotated[str, Field(min_length=1, max_length=512)]


class AdmitSent(Sent):
    """Those who are let in."""

    items: list[AdmittedSent] = Field(min_length=1, max_length=100)


class ParticipantChanged(Sent):
    """What becomes of a participant."""

    muted: bool | None = None
    admit: bool | None = None
    expel: bool | None = None


class ControlsSent(Sent):
    """What is to go on."""

    recording_started: bool


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["meetings"])
    _controls(router, cloud)
    _series(router, cloud)
    _invitees(router, cloud)
    _participants(router, cloud)
    return router


def _own(cloud: Cloud, caller: Caller, meeting_id: str) -> Meeting:
    """A meeting of the caller's, who is its host, or an administrator. Raises WebexError, 404."""
    meeting = cloud.store.meetings.get(meeting_id, caller.person.org_id)
    if meeting.host_user_id != caller.person.id and not caller.is_admin:
        raise unknown("meeting")
    return meeting


def _host(cloud: Cloud, caller: Caller, email: str | None, scope: str) -> Person:
    """Whose meetings are meant: the caller's own, or for an administrator somebody's. Raises WebexError."""
    if email is None or email.lower() in caller.person.emails:
        return caller.person
    caller.needs(scope)
    found = cloud.store.person_by_email(email, caller.person.org_id)
    if found is None or found.type != "person":
        raise unknown("host")
    return found


def _series(router: Routes, cloud: Cloud) -> None:
    store = cloud.store

    @router.post("/meetings", response_model=Meeting)
    async def create(caller: Write, sent: MeetingSent) -> JSONResponse:
        """Make one; its number is joined by telephone at once."""
        host = _host(cloud, caller, sent.host_email, "meeting:admin_schedule_write")
        begins, ends = stamped(sent.start), stamped(sent.end)
        if ends <= begins:
            raise unfit("The meeting's end is to lie after its start.")
        emails = [each.email.lower() for each in sent.invitees]
        if len(set(emails)) < len(emails):
            raise conflict("An invitee is invited twice.")
        store.meetings.need_room()
        store.invitees.need_room(len(sent.invitees))
        webinar = sent.scheduled_type == "webinar"
        security = sent.unlocked_meeting_join_security or ("allowJoin" if webinar else "allowJoinWithLobby")
        number = await begin(cloud, security, webinar=webinar)
        id_ = store.meetings.new_id()
        telephony = MeetingTelephony(
            access_code=number,
            call_in_numbers=[CallInNumber(label="Extension", call_in_number=number, toll_type="toll")],
        )
        meeting = Meeting(
            id=id_,
            meeting_number=number,
            title=sent.title,
            agenda=sent.agenda,
            password=secrets.token_urlsafe(6),
            scheduled_type=sent.scheduled_type,
            unlocked_meeting_join_security=security,
            timezone=sent.timezone,
            start=begins,
            end=ends,
            recurrence=sent.recurrence,
            host_user_id=host.id,
            host_display_name=host.display_name,
            host_email=host.emails[0],
            site_url=SITE,
            web_link=f"https://{SITE}/meet/{number}",
            sip_address=f"{number}@{SITE}",
            telephony=telephony,
        )
        store.meetings.add(meeting, host.org_id)
        for each in sent.invitees:
            _invite(cloud, meeting, each)
        await expected(cloud, meeting)
        cloud.happenings.tell("meetings", "created", caller.person, meeting.told(), frozenset({host.id}))
        return answer(meeting)

    @router.get("/meetings", response_model=Items[Meeting])
    async def meetings(
        request: Request,
        caller: Read,
        number: Annotated[str | None, Query(alias="meetingNumber", max_length=64)] = None,
        host_email: Annotated[str | None, Query(alias="hostEmail", max_length=254)] = None,
        since: Annotated[Moment | None, Query(alias="from")] = None,
        until: Annotated[Moment | None, Query(alias="to")] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Those that the caller is the host of; for an administrator who names one, that host."""
        host = _host(cloud, caller, host_email, "meeting:admin_schedule_read")
        found = [
            each
            for each in after_number(store.meetings.of(caller.person.org_id), cloud.pager.after(request, cursor))
            if each.host_user_id == host.id
            and (number is None or each.meeting_number == number)
            and (since is None or each.start >= stamped(since))
            and (until is None or each.start <= stamped(until))
        ]
        return cloud.pager.page(request, found, by_number, max)

    @router.get("/meetings/{meeting_id}", response_model=Meeting)
    async def meeting(caller: Read, meeting_id: str) -> JSONResponse:
        """One."""
        return answer(_own(cloud, caller, meeting_id))

    @router.patch("/meetings/{meeting_id}", response_model=Meeting)
    async def update(caller: Write, meeting_id: str, sent: MeetingChanged) -> JSONResponse:
        """Change one."""
        found = _own(cloud, caller, meeting_id)
        for name, value in sent.model_dump(exclude_none=True).items():
            setattr(found, name, value)
        cloud.happenings.tell("meetings", "updated", caller.person, found.told(), frozenset({caller.person.id}))
        return answer(found)

    @router.delete("/meetings/{meeting_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Write, meeting_id: str) -> Response:
        """End one: whoever is in it is hung up on. Its participants and qualities can't be had any more."""
        found = _own(cloud, caller, meeting_id)
        await cloud.board().ask("DELETE", f"/meetings/{found.meeting_number}")
        for each in [each for each in store.invitees.of(found.tenant) if each.meeting_id == found.id]:
            store.invitees.remove(each)
        store.meetings.remove(found)
        cloud.happenings.tell("meetings", "deleted", caller.person, found.told(), frozenset({caller.person.id}))
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _invite(cloud: Cloud, meeting: Meeting, sent: InviteeSent) -> Invitee:
    store = cloud.store
    email = sent.email.lower()
    if any((each.meeting_id, each.email) == (meeting.id, email) for each in store.invitees.of(meeting.tenant)):
        raise conflict("The invitee is invited already.")
    person = store.person_by_email(email, meeting.tenant)
    invitee = Invitee(
        id=store.invitees.new_id(),
        email=email,
        display_name=sent.display_name or (person.display_name if person is not None else email),
        co_host=sent.co_host,
        panelist=sent.panelist,
        meeting_id=meeting.id,
    )
    return store.invitees.add(invitee, meeting.tenant)


def _invitees(router: Routes, cloud: Cloud) -> None:
    store = cloud.store

    @router.get("/meetingInvitees", response_model=Items[Invitee])
    async def invitees(
        request: Request, caller: Read, meeting_id: Annotated[str, wants("meetingId")], cursor: Cursor = None
    ) -> JSONResponse:
        """Who is expected at a meeting."""
        meeting = _own(cloud, caller, meeting_id)
        found = after_number(store.invitees.of(meeting.tenant), cloud.pager.after(request, cursor))
        return cloud.pager.page(request, [each for each in found if each.meeting_id == meeting.id], by_number, 100)

    @router.post("/meetingInvitees", response_model=Invitee)
    async def invite(caller: Write, sent: MeetingInviteeSent) -> JSONResponse:
        """Expect somebody; of the organisation, they need not wait in the lobby."""
        meeting = _own(cloud, caller, sent.meeting_id)
        invitee = _invite(cloud, meeting, sent)
        await expected(cloud, meeting)
        return answer(invitee)

    @router.delete("/meetingInvitees/{invitee_id}", status_code=HTTPStatus.NO_CONTENT)
    async def uninvite(caller: Write, invitee_id: str) -> Response:
        """Expect somebody no more."""
        invitee = store.invitees.get(invitee_id, caller.person.org_id)
        meeting = _own(cloud, caller, invitee.meeting_id)
        store.invitees.remove(invitee)
        await expected(cloud, meeting)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _participants(router: Routes, cloud: Cloud) -> None:
    board = cloud.board

    def host_of(caller: Caller, participant_id: str) -> tuple[Meeting, str]:
        meeting, leg = leg_of(cloud, participant_id, caller.person.org_id)
        if meeting.host_user_id != caller.person.id and not caller.is_admin:
            raise unknown("participant")
        return meeting, leg

    @router.get("/meetingParticipants", response_model=Items[Participant])
    async def seen(caller: Seeing, meeting_id: Annotated[str, wants("meetingId")]) -> JSONResponse:
        """Who is at a meeting, was, or waits in its lobby."""
        found = await participants(cloud, _own(cloud, caller, meeting_id))
        return JSONResponse({"items": [each.told() for each in found]})

    @router.post("/meetingParticipants/admit", status_code=HTTPStatus.NO_CONTENT)
    async def admit(caller: Admitting, sent: AdmitSent) -> Response:
        """Let in those who wait."""
        for meeting, leg in [host_of(caller, each.participant_id) for each in sent.items]:
            await board().ask("POST", f"/meetings/{meeting.meeting_number}/admit", {"leg": leg})
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.put("/meetingParticipants/{participant_id}", response_model=Participant)
    async def change(caller: Admitting, participant_id: str, sent: ParticipantChanged) -> JSONResponse:
        """Let somebody in, mute them, or put them out."""
        meeting, leg = host_of(caller, participant_id)
        if sent.expel and (sent.admit or sent.muted is not None):
            raise unfit("Who is expelled is neither admitted nor muted.")
        if sent.admit:
            await board().ask("POST", f"/meetings/{meeting.meeting_number}/admit", {"leg": leg})
        if sent.muted is not None:
            await board().ask("POST", f"/parties/{leg}/mute", {"muted": sent.muted})
            cloud.note_muted(leg, muted=sent.muted)
        if sent.expel:
            await board().ask("POST", f"/meetings/{meeting.meeting_number}/expel", {"leg": leg})
        for each in await participants(cloud, meeting):
            if each.id == participant_id:
                return answer(each)
        raise unknown("participant")


def _controls(router: Routes, cloud: Cloud) -> None:
    def told(shown: dict[str, Any]) -> JSONResponse:
        started = shown["recorded_since"] is not None
        return answer(Controls(locked=False, recording_started=started, recording_paused=False))

    @router.get("/meetings/controls", response_model=Controls)
    async def controls(caller: Read, meeting_id: Annotated[str, wants("meetingId")]) -> JSONResponse:
        """Whether it is recorded."""
        return told(await attendees(cloud, _own(cloud, caller, meeting_id)))

    @router.put("/meetings/controls", response_model=Controls)
    async def control(
        caller: Controlling, meeting_id: Annotated[str, wants("meetingId")], sent: ControlsSent
    ) -> JSONResponse:
        """Begin to record, with a tone to everybody, or end it."""
        meeting = _own(cloud, caller, meeting_id)
        if meeting.host_user_id != caller.person.id:
            raise forbidden("Only the host records a meeting.")
        if sent.recording_started:
            await cloud.board().ask("PUT", f"/meetings/{meeting.meeting_number}/recording", {"on": True})
        else:
            made = await stop_recording(cloud, meeting)
            cloud.happenings.tell("recordings", "created", caller.person, made.told(), frozenset({caller.person.id}))
        return told(await attendees(cloud, meeting))
