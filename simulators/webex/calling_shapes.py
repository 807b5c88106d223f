"""What Webex answers of calling, its plan and its records, in the shapes of developer.webex.com."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, PrivateAttr

from simulators.webex.shapes import Part, Person, Shape


class ReportTemplate(Part):
    """A report that can be made."""

    id: int = Field(serialization_alias="Id")
    title: str
    service: str
    max_days: int
    identifier: str
    validations: list[dict[str, str]]


class Report(Shape):
    """A report that was made."""

    id: str = Field(serialization_alias="Id")
    title: str
    service: str
    start_date: str | None = None
    end_date: str | None = None
    created: str
    created_by: str
    schedule_from: str
    status: str
    download_url: str | None = Field(default=None, serialization_alias="downloadURL")
    _text: str = PrivateAttr("")

    @property
    def text(self) -> str:
        """What it says: CSV."""
        return self._text

    def written(self, text: str) -> None:
        """Take what it says."""
        self._text = text


class VoiceMessageParty(Part):
    """Who left a message."""

    name: str | None = None
    number: str | None = None
    person_id: str | None = None
    privacy_enabled: bool


class VoiceMessage(Part):
    """A message that a caller left."""

    id: str
    duration: int
    calling_party: VoiceMessageParty
    urgent: bool
    confidential: bool
    read: bool
    created: str


class VoiceMessageSummary(Part):
    """How many messages there are."""

    new_messages: int
    old_messages: int
    new_urgent_messages: int
    old_urgent_messages: int


class HuntAgent(Part):
    """A member of a hunt group."""

    id: str
    first_name: str | None = None
    last_name: str | None = None
    extension: str | None = None


class HuntNoAnswer(Part):
    """What becomes of a call that nobody of a hunt group takes."""

    next_agent_enabled: bool
    next_agent_rings: int
    forward_enabled: bool
    number_of_rings: int
    destination: str | None = None
    destination_voicemail_enabled: bool


class HuntPolicies(Part):
    """How a hunt group leads its calls."""

    policy: str
    waiting_enabled: bool
    group_busy_enabled: bool
    no_answer: HuntNoAnswer


class CallingFeature(Part):
    """What callers reach at a location by an extension, and what a list tells of it."""

    detail: ClassVar[tuple[str, ...]] = ("callPolicies", "agents")
    """What a list leaves out."""

    id: str
    name: str
    location_name: str | None = None
    location_id: str | None = None
    phone_number: str | None = None
    extension: str
    enabled: bool

    def summary(self) -> dict[str, Any]:
        """As a list tells it."""
        told = self.told()
        for name in self.detail:
            told.pop(name, None)
        return told


class HuntGroup(CallingFeature):
    """A hunt group."""

    call_policies: HuntPolicies | None = None
    agents: list[HuntAgent] | None = None


class HuntGroups(Part):
    """A list of them."""

    hunt_groups: list[HuntGroup]


class CallbackNumber(Part):
    """A number at which an emergency caller can be called back."""

    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    effective_level: str | None = None
    effective_value: str | None = None
    quality: str


class EmergencyCallback(Part):
    """Which number an emergency operator is told to call back."""

    selected: str
    direct_line_info: CallbackNumber
    location_ecbn_info: CallbackNumber = Field(serialization_alias="locationECBNInfo")
    default_info: CallbackNumber


class QueueAgent(Part):
    """An agent of a call queue."""

    id: str
    first_name: str | None = None
    last_name: str | None = None
    extension: str | None = None
    join_enabled: bool

    @classmethod
    def of(cls, person: Person, *, join_enabled: bool) -> QueueAgent:
        """Somebody as an agent."""
        return cls(
            id=person.id,
            first_name=person.first_name,
            last_name=person.last_name,
            extension=person.extension,
            join_enabled=join_enabled,
        )


class QueuePolicies(Part):
    """In which order agents ring."""

    routing_type: str = "PRIORITY_BASED"
    policy: str


class Overflow(Part):
    """What becomes of a call that waits too long, or for which there is no place."""

    action: str
    transfer_number: str | None = None
    overflow_after_wait_enabled: bool
    overflow_after_wait_time: int


class QueueSettings(Part):
    """How many wait."""

    queue_size: int
    overflow: Overflow


class CallQueue(CallingFeature):
    """A call queue."""

    detail: ClassVar[tuple[str, ...]] = ("callPolicies", "queueSettings", "agents")

    call_policies: QueuePolicies | None = None
    queue_settings: QueueSettings | None = None
    agents: list[QueueAgent] | None = None

    def agent(self, person: str) -> QueueAgent | None:
        """Somebody among its agents."""
        return next((each for each in self.agents or () if each.id == person), None)


class CallQueues(Part):
    """A list of them."""

    queues: list[CallQueue]


class QueueMade(Part):
    """A call queue that was made."""

    id: str


class AgentInQueue(Part):
    """A queue, as one of its agents has it."""

    id: str
    name: str
    extension: str
    location_id: str | None = None
    join_enabled: bool


class AgentOfQueues(Part):
    """An agent with their queues."""

    agent: QueueAgent
    queues: list[AgentInQueue]
