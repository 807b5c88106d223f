"""Call queues: made and laid out by REST, with agents who join and leave; the switch lets callers wait in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import Cursor, Id, Line, Most, Sent, answer, needs, wants
from simulators.webex.api.calling_plan import POLICIES, chosen
from simulators.webex.calling_shapes import (
    AgentInQueue,
    AgentOfQueues,
    CallQueue,
    CallQueues,
    Overflow,
    QueueAgent,
    QueueMade,
    QueuePolicies,
    QueueSettings,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import conflict, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.ids import named
from simulators.webex.shapes import Location, Person
from simulators.webex.switchboard import line_of

Read = Annotated[Caller, needs("spark-admin:telephony_config_read")]
Write = Annotated[Caller, needs("spark-admin:telephony_config_write")]
STRATEGIES: Final = {policy: strategy for strategy, policy in POLICIES.items()}
MAX_AGENTS: Final = 100
OVERFLOW: Final = "TRANSFER_TO_PHONE_NUMBER"
Number = Annotated[str, Field(pattern=r"^\+?[0-9]{1,20}$")]


class AgentSent(Sent):
    """An agent, and whether they take calls."""

    id: Id
    join_enabled: bool = True


class OverflowSent(Sent):
    """Where calls go that wait for too long, or for which there is no place."""

    action: Literal["PERFORM_BUSY_TREATMENT", "TRANSFER_TO_PHONE_NUMBER", "PLAY_RINGING_UNTIL_CALLER_HANGS_UP"]
    transfer_number: Number | None = None
    overflow_after_wait_enabled: bool = False
    overflow_after_wait_time: Annotated[int, Field(ge=1, le=7_200)] = 300


class QueueSettingsSent(Sent):
    """How many may wait, and what becomes of the others."""

    queue_size: Annotated[int, Field(ge=1, le=250)] = 25
    overflow: OverflowSent | None = None


class PoliciesSent(Sent):
    """In which order agents ring."""

    policy: Literal["CIRCULAR", "REGULAR", "SIMULTANEOUS", "UNIFORM", "WEIGHTED"] = "REGULAR"


class QueueSent(Sent):
    """A queue as it is made or changed; what is left out of a change stays."""

    name: Line | None = None
    extension: Annotated[str, Field(pattern=r"^[0-9]{2,10}$")] | None = None
    agents: list[AgentSent] | None = Field(default=None, max_length=MAX_AGENTS)
    call_policies: PoliciesSent | None = None
    queue_settings: QueueSettingsSent | None = None


class JoinSent(Sent):
    """Whether an agent takes calls of a queue."""

    queue_id: Id
    join_enabled: bool


class JoinsSent(Sent):
    """That, of several."""

    settings: list[JoinSent] = Field(min_length=1, max_length=100)


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/telephony/config", tags=["calling"])
    store, book = cloud.store, Book(cloud)

    @router.get("/queues", response_model=CallQueues)
    async def queues(
        request: Request,
        caller: Read,
        location_id: Annotated[str | None, wants("locationId")] = None,
        name: Annotated[str | None, Query(max_length=128)] = None,
        max: Most = 1_000,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """The call queues."""
        place = cloud.pager.after(request, cursor)
        found = chosen(await book.of(caller.person.org_id), location_id, name, place)
        return cloud.pager.page(
            request, found, lambda each: [each.extension], max, shown=CallQueue.summary, key="queues"
        )

    @router.get("/locations/{location_id}/queues/{queue_id}", response_model=CallQueue)
    async def queue(caller: Read, location_id: str, queue_id: str) -> JSONResponse:
        """One, with its agents."""
        return answer(await book.get(caller.person.org_id, location_id, queue_id))

    @router.post("/locations/{location_id}/queues", response_model=QueueMade, status_code=HTTPStatus.CREATED)
    async def make(request: Request, caller: Write, location_id: str, sent: QueueSent) -> JSONResponse:
        """Make one, at a location."""
        org = caller.person.org_id
        location = store.locations.get(location_id, org)
        if sent.name is None or sent.extension is None or not sent.agents:
            raise unfit("A call queue needs a name, an extension and an agent.")
        if any(each["number"] == sent.extension for each in await cloud.board().ask("GET", "/queues")):
            raise conflict(f"The extension {sent.extension} is in use.")
        id_ = named("CALL_QUEUE", sent.extension)
        await book.lay_out(org, sent, {"number": sent.extension, "name": "", "members": []})
        book.at[sent.extension] = location
        cloud.audit(request, caller, "CALLING", "created a call queue", "CALL_QUEUE", id_)
        return JSONResponse(QueueMade(id=id_).told(), HTTPStatus.CREATED)

    @router.put("/locations/{location_id}/queues/{queue_id}", status_code=HTTPStatus.NO_CONTENT)
    async def change(request: Request, caller: Write, location_id: str, queue_id: str, sent: QueueSent) -> Response:
        """Change one: its name, order, agents, size and overflow; not its extension."""
        org = caller.person.org_id
        found = await book.get(org, location_id, queue_id)
        if sent.extension not in {None, found.extension}:
            raise unfit("The simulated switch can't move a call queue to another extension.")
        if sent.agents == []:
            raise unfit("A call queue needs an agent.")
        await book.lay_out(org, sent, await cloud.board().ask("GET", f"/queues/{found.extension}"))
        cloud.audit(request, caller, "CALLING", "updated a call queue", "CALL_QUEUE", queue_id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.delete("/locations/{location_id}/queues/{queue_id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove(request: Request, caller: Write, location_id: str, queue_id: str) -> Response:
        """Remove one; who waits in it overflows."""
        found = await book.get(caller.person.org_id, location_id, queue_id)
        await cloud.board().ask("DELETE", f"/queues/{found.extension}")
        book.at.pop(found.extension, None)
        cloud.audit(request, caller, "CALLING", "deleted a call queue", "CALL_QUEUE", queue_id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.get("/queues/agents/{agent_id}", response_model=AgentOfQueues)
    async def agent(caller: Read, agent_id: str) -> JSONResponse:
        """An agent's queues, and in which of them they take calls."""
        person = store.people.get(agent_id, caller.person.org_id)
        there = [(each, found) for each in await book.of(person.org_id) if (found := each.agent(person.id))]
        return answer(
            AgentOfQueues(
                agent=QueueAgent.of(person, join_enabled=any(found.join_enabled for _, found in there)),
                queues=[
                    AgentInQueue(
                        id=each.id,
                        name=each.name,
                        extension=each.extension,
                        location_id=each.location_id,
                        join_enabled=found.join_enabled,
                    )
                    for each, found in there
                ],
            )
        )

    @router.put("/queues/agents/{agent_id}/settings", status_code=HTTPStatus.NO_CONTENT)
    async def join(request: Request, caller: Write, agent_id: str, sent: JoinsSent) -> Response:
        """Let an agent take calls of queues, or not for now."""
        person = store.people.get(agent_id, caller.person.org_id)
        there = {each.id: each for each in await book.of(person.org_id) if each.agent(person.id)}
        if any(each.queue_id not in there for each in sent.settings):
            raise unknown("call queue of this agent")
        for each in sent.settings:
            path = f"/queues/{there[each.queue_id].extension}/agents/{line_of(person)}"
            await cloud.board().ask("PUT", path, {"joined": each.join_enabled})
        cloud.audit(request, caller, "CALLING", "updated a call queue agent", "USER", person.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router


class Book:
    """The switch's queues in Webex's words."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.at: dict[str, Location] = {}
        """Where queues are that were made by REST, by extension; as many as the switch takes."""

    async def of(self, org: str) -> list[CallQueue]:
        """Those in which somebody of an organisation is an agent."""
        shown = await self._cloud.board().ask("GET", "/queues")
        found = [self._told(org, each) for each in shown]
        return sorted((each for each in found if each.agents), key=lambda each: each.extension)

    async def get(self, org: str, location: str, id_: str) -> CallQueue:
        """One. Raises WebexError, 404."""
        for each in await self.of(org):
            if (each.id, each.location_id) == (id_, location):
                return each
        raise unknown("call queue")

    async def lay_out(self, org: str, sent: QueueSent, now: dict[str, Any]) -> None:
        """Have the switch make a queue, or change it, from what it is now. Raises WebexError."""
        board, store = self._cloud.board(), self._cloud.store
        laid = {key: value for key, value in now.items() if key in _LAID_OUT}
        if sent.name is not None:
            laid["name"] = sent.name
        if sent.call_policies is not None:
            strategy = STRATEGIES.get(sent.call_policies.policy)
            if strategy is None:
                raise unfit("The simulated switch has no weighted queues.")
            laid["strategy"] = strategy
        if sent.queue_settings is not None:
            overflow = sent.queue_settings.overflow
            laid["size"] = sent.queue_settings.queue_size
            if overflow is not None:
                if overflow.action == OVERFLOW and overflow.transfer_number is None:
                    raise unfit("transferNumber is needed for this overflow.")
                laid["overflow"] = overflow.transfer_number if overflow.action == OVERFLOW else None
                # Who is not to overflow waits for as long as Webex lets anybody wait.
                laid["max_s"] = overflow.overflow_after_wait_time if overflow.overflow_after_wait_enabled else LONGEST_S
        joins: dict[str, bool] = {}
        if sent.agents is not None:
            people = [store.people.get(each.id, org) for each in sent.agents]
            joins = {line_of(who): each.join_enabled for who, each in zip(people, sent.agents, strict=True)}
            laid["members"] = list(joins)
        await board.ask("PUT", "/queues", laid)
        for line, joined in joins.items():
            await board.ask("PUT", f"/queues/{laid['number']}/agents/{line}", {"joined": joined})

    def _told(self, org: str, queue: dict[str, Any]) -> CallQueue:
        store = self._cloud.store
        found = [store.person_by_extension(each, org) for each in queue["members"]]
        people: list[Person] = [each for each in found if each is not None]
        location = self.at.get(queue["number"])
        if location is None:
            places = [store.locations.find(each.location_id, org) for each in people if each.location_id]
            location = next((each for each in places if each is not None), None)
        action = OVERFLOW if queue["overflow"] is not None else "PERFORM_BUSY_TREATMENT"
        return CallQueue(
            id=named("CALL_QUEUE", queue["number"]),
            name=queue["name"] or queue["number"],
            location_name=location.name if location is not None else None,
            location_id=location.id if location is not None else None,
            phone_number=queue["external"],
            extension=queue["number"],
            enabled=True,
            call_policies=QueuePolicies(policy=POLICIES[queue["strategy"]]),
            queue_settings=QueueSettings(
                queue_size=queue["size"],
                overflow=Overflow(
                    action=action,
                    transfer_number=queue["overflow"],
                    overflow_after_wait_enabled=queue["max_s"] < LONGEST_S,
                    overflow_after_wait_time=round(queue["max_s"]),
                ),
            ),
            agents=[QueueAgent.of(each, join_enabled=each.extension not in queue["away"]) for each in people],
        )


LONGEST_S: Final = 7_200
"""Seconds that a caller may wait at most, as developer.webex.com has it."""
_LAID_OUT: Final = frozenset(
    {"number", "name", "external", "members", "strategy", "ring_s", "max_s", "overflow", "size"}
)
