"""What Webex accounts do with calls, and what Webex tells of calls: states, records, quality, messages, the plan."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from harness.drivers.controlled import SimulatedOrReal
from harness.endpoints.sntp import Clock
from harness.endpoints.webex import WebexClient, WebhookVerifier
from harness.errors import DriverError, ExpectationError, NotPlayedError, WebexError
from harness.transport.context import Context

LOOKS_EVERY_S: Final = 0.1
"""How often a simulated service is asked for what is expected."""
REAL_LOOKS_EVERY_S: Final = 0.5
"""And a real one, which answers 429 to who asks too often; what it lets be asked is not published."""
RECORD_LOOKS_EVERY_S: Final = 60.0
"""How often is looked for a record: Webex lets records be asked for once a minute."""
REPORT_LOOKS_EVERY_S: Final = 10.0
"""How often is looked whether a report that was asked for is made."""
CLOCK_TOLD_S: Final = 2.0
"""So exactly a service's clock is known by its answers: they tell whole seconds, and are under way."""
RECORDS_BACK_S: Final = 3 * 3600.0
"""How far back records are looked for."""
RECORDS_AFTER_S: Final = 301.0
"""Records of calls that ended later than so many seconds ago can't be asked for yet."""
_ADMINISTRATOR: Final = "administrator"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where webhooks come to at this machine."""

    listen: tuple[str, int]
    """Host and port; 0: any."""
    url: str | None = None
    """What the service is told; None: what is listened on."""


class WebexCalls(SimulatedOrReal):
    """The calling part of Webex."""

    prefix: str
    reports_at: str | None = None
    """Another host of a real Webex's, at which its reports lie."""
    receiver: Receiver | None = None
    """None where a real Webex does not reach this machine."""

    def __init__(self, context: Context, name: str, *, permit: Callable[[str], None], clock: Clock) -> None:
        super().__init__(context, name, kind="webex")
        self._permit, self._clock = permit, clock
        first = next(iter(context.journal), None)
        since = 0.0 if first is None else context.journal.now() - first.time
        self._opened = asyncio.get_running_loop().time() - since
        """When the test began, by the loop's clock: Webex may be asked for the first time when its call is up."""
        self._agents: dict[tuple[str, str], bool] = {}
        """Whether agents took a queue's calls before it was changed here, by queue and person."""

    @abstractmethod
    async def account(self, name: str = _ADMINISTRATOR) -> WebexClient:
        """An account's own connection."""

    @abstractmethod
    def _keep(self, kind: str, made: dict[str, Any], by: str) -> None:
        """Remember what is taken away at the end."""

    @abstractmethod
    async def analyst(self, name: str = _ADMINISTRATOR) -> WebexClient:
        """An account's connection to where call records are."""

    @property
    def _looks_every_s(self) -> float:
        return LOOKS_EVERY_S if self._link is not None else REAL_LOOKS_EVERY_S

    # What people do with calls

    async def dial(self, destination: str, *, by: str) -> str:
        """Let an account's telephone call ``destination``; return the call's id.

        Raises InterlockError, before anything is sent, where the testbed does not allow the number.
        """
        self._permit(destination)
        said = await (await self.account(by)).ask("POST", "/telephony/calls/dial", {"destination": destination})
        self._journal.record(self.name, "webex.dialled", call=str(said["callId"]), account=by)
        return str(said["callId"])

    async def handle(self, call: str, act: str, *, by: str) -> None:
        """Do something to an account's call: ``answer``, ``hold``, ``resume``, ``hangup``, ``reject``, ``mute``."""
        await self._act(act, {"callId": call}, by)
        self._journal.record(self.name, "webex.call_handled", call=call, act=act, account=by)

    async def _act(self, act: str, body: dict[str, str], by: str) -> dict[str, Any]:
        """Ask for an act; what it takes is counted from ``webex.call_asked``, before anything is sent."""
        client = await self.account(by)
        self._journal.record(self.name, "webex.call_asked", act=act, account=by)
        said: dict[str, Any] = await client.ask("POST", f"/telephony/calls/{act}", body)
        return said

    async def expect_call(self, state: str, *, by: str, within: float) -> dict[str, Any]:
        """An account's call in this state, as it sees it; raises ExpectationError where there is none in time.

        At a real Webex a call that was there before the test began is none of the test's: a run that was broken off
        leaves calls up.
        """
        client = await self.account(by)
        seen: list[str] = []
        held_off = client.held_off_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    there = (await client.ask("GET", "/telephony/calls"))["items"]
                    calls = [each for each in there if not self._was_there_before(client, each)]
                    seen = [str(each["state"]) for each in calls]
                    for call in calls:
                        if call["state"] == state:
                            self._journal.record(
                                self.name, "webex.call_seen", call=call["callId"], state=state, account=by
                            )
                            found: dict[str, Any] = call
                            return found
                    await asyncio.sleep(self._looks_every_s)
        has = ", ".join(seen) or "none"
        raise ExpectationError(
            f"{self.name}: {by} was to have a call that is {state} within {within:g} s, and has {has}"
            f"{busy_since(client, held_off)}"
        )

    def _was_there_before(self, client: WebexClient, call: Mapping[str, Any]) -> bool:
        opened = client.service_time(self._opened)
        if self._link is not None or opened is None or not call.get("created"):
            return False
        return datetime.fromisoformat(str(call["created"])).timestamp() < opened - CLOCK_TOLD_S

    async def transfer(self, call: str, destination: str, *, by: str) -> None:
        """Hand an account's call on to a number. Raises InterlockError for one that the testbed does not allow."""
        self._permit(destination)
        body = {"callId1": call, "destination": destination}
        await self._act("transfer", body, by)
        self._journal.record(self.name, "webex.call_handled", call=call, act="transfer", account=by)

    async def park(self, call: str, *, by: str) -> str:
        """Park whom an account speaks to; return the slot."""
        said = await self._act("park", {"callId": call}, by)
        slot = str(said["parkedAgainst"]["number"])
        self._journal.record(self.name, "webex.call_handled", call=call, act="park", slot=slot, account=by)
        return slot

    async def retrieve(self, slot: str, *, by: str) -> str:
        """Let an account's telephone take up a parked call; return the call's id."""
        said = await self._act("retrieve", {"destination": slot}, by)
        self._journal.record(self.name, "webex.call_handled", call=str(said["callId"]), act="retrieve", account=by)
        return str(said["callId"])

    def hooks_come_to(self) -> Receiver:
        """Where this machine takes webhooks. Raises NotPlayedError where the service does not reach it."""
        if self.receiver is None:
            raise NotPlayedError(
                f"{self.name} reaches no address of this machine: where it does, the testbed file has "
                "'webhooks: {listen: HOST:PORT, url: https://…}'"
            )
        return self.receiver

    def verifier(self, secret: str) -> WebhookVerifier:
        """What checks deliveries of a webhook that has this secret, by Webex's clock."""
        return WebhookVerifier(secret, self._clock)

    async def hook_calls(self, target: str, secret: str, *, by: str) -> str:
        """Have Webex tell ``target`` (a URL) of an account's calls, signed with ``secret``; return the webhook's id.

        It goes with the account's other things that tests make. Raises WebexError.
        """
        body = {"name": f"{self.prefix}calls", "targetUrl": target, "secret": secret}
        client = await self.account(by)
        made = await client.ask("POST", "/webhooks", body | {"resource": "telephony_calls", "event": "all"})
        self._keep("webhooks", made | {"title": made["name"]}, by)
        self._journal.record(self.name, "webex.webhook_made", webhook=str(made["id"]), account=by)
        return str(made["id"])

    # What administrators are told

    async def call_records(self, session: str, *, within: float, count: int = 1) -> list[dict[str, str]]:
        """The detailed records of a call, by its callSessionId: ``count`` of them at least, the earliest first.

        Raises ExpectationError where there are fewer ``within`` seconds.
        """

        async def look() -> list[dict[str, str]] | None:
            client, now = await self.analyst(), self._clock()
            query = {"startTime": _written(now - RECORDS_BACK_S), "endTime": _written(now - RECORDS_AFTER_S)}
            found = [each async for each in client.listed("/cdr_feed", query=query)]
            of_it = [each for each in found if each.get("Correlation ID") == session]
            return of_it if len(of_it) >= count else None

        found, after = await self._looked_for(look, within, f"{count} detailed records of call {session}")
        self._journal.record(self.name, "webex.call_records", call=session, count=len(found), after=after)
        return found

    async def call_quality(self, session: str, *, within: float, count: int = 1) -> list[dict[str, str]]:
        """What each party of a call heard, by its callSessionId, as the report of calls' quality tells it.

        Raises ExpectationError where it tells of fewer than ``count`` parties ``within`` seconds.
        """

        async def look() -> list[dict[str, str]] | None:
            rows = [each for each in await self._quality_report() if each.get("Correlation ID") == session]
            return rows if len(rows) >= count else None

        found, after = await self._looked_for(look, within, f"the quality of {count} parties of call {session}")
        self._journal.record(self.name, "webex.call_quality", call=session, count=len(found), after=after)
        return found

    async def _quality_report(self) -> list[dict[str, str]]:
        client = await self.account()
        templates = (await client.ask("GET", "/report/templates"))["items"]
        wanted = next((each for each in templates if each["title"] == "Calling Quality"), None)
        if wanted is None:
            raise DriverError(f"{self.name} has no report 'Calling Quality'")
        made = str((await client.ask("POST", "/reports", {"templateId": wanted["Id"]}))["items"]["Id"])
        try:
            url = await self._report_made(client, made)
            host = "{0.scheme}://{0.netloc}".format(urlsplit(url))
            if host not in {client.service, self.reports_at}:
                raise NotPlayedError(
                    f"{self.name}: the report of calls' quality lies at {host}: where that may have the token, the "
                    f"testbed file has 'reports: {host}'"
                )
            return list(csv.DictReader(io.StringIO(await client.fetch(url, too=self.reports_at))))
        finally:
            await client.ask("DELETE", f"/reports/{made}")

    async def _report_made(self, client: WebexClient, report: str) -> str:
        """Where a report lies, as soon as it is made."""
        while True:
            [told] = (await client.ask("GET", f"/reports/{report}"))["items"]
            if told.get("downloadURL"):
                return str(told["downloadURL"])
            await asyncio.sleep(REPORT_LOOKS_EVERY_S)

    async def hunt_group(self, name: str) -> dict[str, Any]:
        """A hunt group's plan by its name: extension, policy, agents, where calls overflow to. Raises DriverError."""
        return await self._feature("huntGroups", "hunt group", name)

    async def call_queue(self, name: str) -> dict[str, Any]:
        """A call queue by its name: extension, policy, agents, size and overflow. Raises DriverError."""
        return await self._feature("queues", "call queue", name)

    async def _feature(self, kind: str, told: str, name: str) -> dict[str, Any]:
        """What callers reach, by its name: found in the list of its kind, and had with its details."""
        client = await self.account()
        there = (await client.ask("GET", f"/telephony/config/{kind}", query={"name": name}))[kind]
        found = next((each for each in there if each["name"] == name), None)
        if found is None:
            raise DriverError(f"{self.name} has no {told} {name!r}")
        path = f"/telephony/config/locations/{found['locationId']}/{kind}/{found['id']}"
        feature: dict[str, Any] = await client.ask("GET", path)
        return feature

    async def join_queue(self, name: str, account: str, *, joined: bool) -> None:
        """Let an agent take calls of a queue, or not for now; at the end it is as before. Raises DriverError."""
        queue, me = await self.call_queue(name), await (await self.account(account)).ask("GET", "/people/me")
        there = (await (await self.account()).ask("GET", f"/telephony/config/queues/agents/{me['id']}"))["queues"]
        before = next((bool(each["joinEnabled"]) for each in there if each["id"] == queue["id"]), None)
        if before is None:
            raise DriverError(f"{self.name}: {account} is no agent of call queue {name!r}")
        self._agents.setdefault((queue["id"], me["id"]), before)
        await self._set_agent(queue["id"], me["id"], joined=joined)
        self._journal.record(self.name, "webex.queue_agent", queue=name, account=account, joined=joined)

    async def _set_agent(self, queue: str, person: str, *, joined: bool) -> None:
        body = {"settings": [{"queueId": queue, "joinEnabled": joined}]}
        await (await self.account()).ask("PUT", f"/telephony/config/queues/agents/{person}/settings", body)

    async def _agents_as_before(self) -> None:
        while self._agents:
            (queue, person), joined = self._agents.popitem()
            await self._set_agent(queue, person, joined=joined)

    async def callback_number(self, account: str) -> str:
        """The number at which an emergency operator is told to call an account back. Raises DriverError for none."""
        me = await (await self.account(account)).ask("GET", "/people/me")
        path = f"/telephony/config/people/{me['id']}/emergencyCallbackNumber"
        told = await (await self.account()).ask("GET", path)
        number = told["defaultInfo"].get("effectiveValue")
        if number is None:
            raise DriverError(f"{self.name}: {account} has no number at which an emergency operator could call back")
        return str(number)

    async def voice_messages(self, *, by: str) -> frozenset[str]:
        """The voice messages that an account has, by their ids."""
        there = (await (await self.account(by)).ask("GET", "/telephony/voiceMessages"))["items"]
        return frozenset(str(each["id"]) for each in there)

    async def expect_voice_message(self, *, by: str, within: float, beside: Collection[str]) -> dict[str, Any]:
        """The oldest voice message that an account has not heard, ``beside`` those that it had before.

        It is taken away with what the test made. Raises ExpectationError where there is none.
        """

        async def look() -> dict[str, Any] | None:
            client = await self.account(by)
            messages = (await client.ask("GET", "/telephony/voiceMessages"))["items"]
            return next((each for each in messages if not each["read"] and each["id"] not in beside), None)

        found, after = await self._looked_for(look, within, f"a new voice message of {by}", every=1.0)
        self._keep("telephony/voiceMessages", found | {"title": "a voice message"}, by)
        self._journal.record(self.name, "webex.voice_message", account=by, message=found["id"], after=after)
        return found

    # How is looked

    async def _looked_for(
        self,
        look: Callable[[], Awaitable[T | None]],
        within: float,
        what: str,
        *,
        every: float = RECORD_LOOKS_EVERY_S,
    ) -> tuple[T, float]:
        """What ``look`` finds, and after how many seconds; the last refusal is told where it finds nothing."""
        began, last = self._journal.now(), "it was not there"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    try:
                        found = await look()
                    except WebexError as error:
                        found, last = None, str(error)
                    if found is not None:
                        return found, round(self._journal.now() - began, 3)
                    await asyncio.sleep(every)
        raise ExpectationError(f"{self.name}: {what} was due within {within:g} s: {last}")


def busy_since(client: WebexClient, held_off: float) -> str:
    """What is told of a service that was too busy meanwhile; ``held_off``: what `WebexClient.held_off_s` was before."""
    seconds = client.held_off_s - held_off
    return f"; the service was too busy (429) and had {client.name} wait for {seconds:g} s" if seconds else ""


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
