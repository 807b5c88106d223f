"""What goes on in meetings: asked of the switch, which mixes them, and told in Webex's words."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from simulators.webex.cloud import Cloud
from simulators.webex.errors import WebexError, full, unknown
from simulators.webex.ids import named, uuid_of
from simulators.webex.meeting_shapes import (
    JoinSecurity,
    MediaQuality,
    Meeting,
    MeetingRecording,
    Participant,
    ParticipantDevice,
    SessionQuality,
)
from simulators.webex.shapes import Person
from simulators.webex.store import MAX_CONTENT, stamp
from simulators.webex.switchboard import MOST_RECORDS

KIND: Final = "PARTICIPANT"
GUESTS: Final[dict[JoinSecurity, str]] = {"allowJoin": "in", "allowJoinWithLobby": "lobby", "blockFromJoin": "refused"}
"""What the switch does with those who are not expected."""


async def attendees(cloud: Cloud, meeting: Meeting) -> dict[str, Any]:
    """What the switch shows of a meeting's conference."""
    found: dict[str, Any] = await cloud.board().ask("GET", f"/meetings/{meeting.meeting_number}")
    return found


def participant_id(meeting: Meeting, leg: str) -> str:
    """What a participant is called."""
    return named(KIND, f"{meeting.meeting_number}_{leg}")


def leg_of(cloud: Cloud, participant: str, org: str) -> tuple[Meeting, str]:
    """The meeting of a participant, and their leg. Raises WebexError, 404."""
    number, _, leg = (uuid_of(participant, KIND) or "").partition("_")
    for meeting in cloud.store.meetings.of(org):
        if meeting.meeting_number == number:
            return meeting, leg
    raise unknown("participant")


async def participants(cloud: Cloud, meeting: Meeting) -> list[Participant]:
    """Everybody who came."""
    shown = await attendees(cloud, meeting)
    muted = cloud.muted
    board, store, org = cloud.board(), cloud.store, meeting.tenant
    invited = {each.email for each in store.invitees.of(org) if each.meeting_id == meeting.id}
    found = []
    for each in shown["attendees"]:
        person: Person | None = store.person_by_extension(each["line"], org)
        room = store.workspace_by_extension(each["line"], org) if person is None else None
        email = person.emails[0] if person is not None else room.sip_address if room is not None else None
        name = person.display_name if person is not None else room.display_name if room is not None else each["number"]
        joined = board.at(each["joined"] if each["joined"] is not None else each["came"])
        left = board.at(each["left"]) if each["left"] is not None else None
        device = ParticipantDevice(
            correlation_id=each["leg"],
            device_type="room" if room is not None else "sip",
            joined_time=joined,
            left_time=left,
            call_type="PSTN" if email is None else "SIP",
            phone_number=each["number"] or None,
        )
        found.append(
            Participant(
                id=participant_id(meeting, each["leg"]),
                org_id=org if email is not None else None,
                host=email == meeting.host_email,
                co_host=False,
                email=email,
                display_name=name or "Unknown caller",
                invitee=email in invited,
                muted=each["leg"] in muted or not each["speaks"],
                state=each["state"],
                site_url=meeting.site_url,
                meeting_id=meeting.id,
                host_email=meeting.host_email,
                joined_time=joined,
                left_time=left,
                devices=[device],
            )
        )
    return found


async def expected(cloud: Cloud, meeting: Meeting) -> None:
    """Tell the switch who need not wait in the lobby: the host, and invited people and rooms of the organisation.

    Of a webinar they are those who speak: its host and its panelists.
    """
    store, org = cloud.store, meeting.tenant
    webinar = meeting.scheduled_type == "webinar"
    invited = [each for each in store.invitees.of(org) if each.meeting_id == meeting.id]
    emails = {each.email for each in invited if each.panelist or not webinar} | {meeting.host_email}
    people = [store.person_by_email(each, org) for each in emails]
    lines = [each.extension for each in people if each is not None and each.extension]
    lines += [each.line for each in store.workspaces.of(org) if each.line and each.sip_address in emails]
    await cloud.board().ask("PUT", f"/meetings/{meeting.meeting_number}/expected", {"expected": sorted(lines)})


async def stop_recording(cloud: Cloud, meeting: Meeting) -> MeetingRecording:
    """End the recording that is being made, and keep it. Raises WebexError where there is no room for it."""
    board, store, settings = cloud.board(), cloud.store, cloud.settings
    store.recordings.need_room()
    shown = await board.ask("PUT", f"/meetings/{meeting.meeting_number}/recording", {"on": False})
    made = shown["recordings"][-1]
    data = await board.fetch(f"/meetings/{meeting.meeting_number}/recordings/{made['id']}")
    if store.content_bytes + len(data) > MAX_CONTENT:
        raise full("bytes of files", MAX_CONTENT)
    store.content_bytes += len(data)
    id_, now = store.recordings.new_id(), store.now()
    ends = now + settings.recordings_kept_days * 86_400
    recording = MeetingRecording(
        id=id_,
        meeting_id=meeting.id,
        topic=meeting.title,
        create_time=store.stamp(),
        time_recorded=board.at(made["began"]),
        site_url=meeting.site_url,
        download_url=f"{cloud.url}/v1/recordings/{id_}/download",
        playback_url=f"{cloud.url}/v1/recordings/{id_}/download",
        duration_seconds=round(made["seconds"]),
        size_bytes=len(data),
        host_email=meeting.host_email,
        storage_region=settings.region,
        retention_until=stamp(ends),
    )
    return store.recordings.add(recording, meeting.tenant).kept(data, ends)


async def qualities(cloud: Cloud, meeting: Meeting) -> list[SessionQuality]:
    """What each who left a meeting was sent."""
    board = cloud.board()
    media = await board.ask("GET", "/records/media", query={"most": str(MOST_RECORDS)})
    rows: dict[str, dict[str, Any]] = {f"leg-{row['callIdentifier']}": row for row in media}
    found = []
    for each in await participants(cloud, meeting):
        leg = each.devices[0].correlation_id
        row = rows.get(leg)
        if row is None or each.left_time is None or row.get("numberPacketsReceived") is None:
            continue
        received, lost = row["numberPacketsReceived"], row.get("numberPacketsLost") or 0
        seconds = max(1, row.get("duration") or 1)
        heard = MediaQuality(
            sampling_interval=seconds,
            start_time=each.joined_time,
            end_time=each.left_time,
            packet_loss=[round(100 * lost / max(1, received + lost), 3)],
            latency=[(row.get("latency") or 0) // 2],
            jitter=[row.get("jitter") or 0],
            media_bit_rate=[8 * (row.get("numberOctetsReceived") or 0) // seconds],
            codec="PCMA",
        )
        found.append(
            SessionQuality(
                meeting_instance_id=meeting.id,
                webex_user_name=each.display_name,
                webex_user_email=each.email,
                join_time=each.joined_time,
                leave_time=each.left_time,
                participant_id=each.id,
                server_region=cloud.settings.region,
                audio_in=[heard],
            )
        )
    return found


async def begin(cloud: Cloud, security: JoinSecurity, *, webinar: bool) -> str:
    """Have a conference opened; its number. Raises WebexError where there are none, or all are taken."""
    body = {"guests": GUESTS[security], "guests_speak": not webinar}
    try:
        return str((await cloud.board().ask("POST", "/meetings", body))["number"])
    except WebexError as error:
        if error.status is HTTPStatus.NOT_FOUND:
            raise WebexError(HTTPStatus.FORBIDDEN, "The organization has no meetings: the switch has none.") from error
        raise
