"""What Webex answers of meetings, in the shapes of developer.webex.com."""

from __future__ import annotations

from typing import Literal

from pydantic import PrivateAttr

from simulators.webex.shapes import Part, Shape

JoinSecurity = Literal["allowJoin", "allowJoinWithLobby", "blockFromJoin"]
"""Whether those who are not invited are let in at once, wait in the lobby, or are refused."""


class CallInNumber(Part):
    """A number by which a meeting is joined."""

    label: str
    call_in_number: str
    toll_type: str


class MeetingTelephony(Part):
    """How a meeting is joined by telephone."""

    access_code: str
    call_in_numbers: list[CallInNumber]


class Meeting(Shape):
    """A meeting."""

    meeting_number: str
    title: str
    agenda: str | None = None
    password: str
    meeting_type: Literal["meetingSeries", "scheduledMeeting", "meeting"] = "meetingSeries"
    scheduled_type: Literal["meeting", "webinar"] = "meeting"
    unlocked_meeting_join_security: JoinSecurity
    state: Literal["active"] = "active"
    timezone: str = "UTC"
    start: str
    end: str
    recurrence: str | None = None
    host_user_id: str
    host_display_name: str
    host_email: str
    site_url: str
    web_link: str
    sip_address: str
    enabled_auto_record_meeting: bool = False
    allow_any_user_to_be_co_host: bool = False
    telephony: MeetingTelephony


class Invitee(Shape):
    """Somebody who is expected at a meeting."""

    email: str
    display_name: str
    co_host: bool = False
    panelist: bool = False
    meeting_id: str


class ParticipantDevice(Part):
    """What somebody takes part by."""

    correlation_id: str
    device_type: str
    joined_time: str
    left_time: str | None = None
    call_type: str
    phone_number: str | None = None


class Participant(Part):
    """Somebody who is at a meeting, was, or waits in its lobby."""

    id: str
    org_id: str | None = None
    host: bool
    co_host: bool
    email: str | None = None
    display_name: str
    invitee: bool
    muted: bool
    state: Literal["lobby", "joined", "end"]
    site_url: str
    meeting_id: str
    host_email: str
    joined_time: str
    left_time: str | None = None
    devices: list[ParticipantDevice]


class Controls(Part):
    """What goes on in a meeting."""

    locked: bool
    recording_started: bool
    recording_paused: bool


class MeetingRecording(Shape):
    """A recording."""

    meeting_id: str
    topic: str
    create_time: str
    time_recorded: str
    site_url: str
    download_url: str
    playback_url: str
    format: str = "WAV"
    duration_seconds: int
    size_bytes: int
    service_type: str = "MeetingCenter"
    status: str = "available"
    host_email: str
    storage_region: str
    """Where it is kept. [U]"""
    retention_until: str
    """When it is taken away by itself. [U]"""
    _ends: float = PrivateAttr(0.0)
    _data: bytes = PrivateAttr(b"")

    @property
    def data(self) -> bytes:
        """The sound."""
        return self._data

    @property
    def ends(self) -> float:
        """When it is taken away, seconds since 1970."""
        return self._ends

    def kept(self, data: bytes, ends: float) -> MeetingRecording:
        """Take the sound, and until when it is there."""
        self._data, self._ends = data, ends
        return self


class MediaQuality(Part):
    """The media of one direction."""

    sampling_interval: int
    start_time: str
    end_time: str
    packet_loss: list[float]
    latency: list[int]
    jitter: list[int]
    media_bit_rate: list[int]
    codec: str
    transport_type: str = "UDP"


class SessionQuality(Part):
    """How a meeting was for one who took part."""

    meeting_instance_id: str
    webex_user_name: str
    webex_user_email: str | None = None
    join_time: str
    leave_time: str | None = None
    participant_id: str
    server_region: str
    audio_in: list[MediaQuality]
    """What they were sent."""
