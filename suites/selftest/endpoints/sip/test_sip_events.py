"""Subscriptions and notifications (RFC 6665), INFO (RFC 6086), MESSAGE and OPTIONS, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import OFFER, Peer, answering, virtually

from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import MAX_USAGES, UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.subscription import MIN_EXPIRES, Notification, Subscriber
from harness.errors import InterlockError, SipLocalError
from harness.protocols.sip.message import Request
from harness.transport.context import Context

SUMMARY = "application/simple-message-summary"
WAITING = b"Messages-Waiting: yes\r\nVoice-Message: 2/1\r\n"
NONE = b"Messages-Waiting: no\r\n"


class Mailbox:
    """A notifier of message-waiting."""

    def __init__(self, agent: UserAgent) -> None:
        self.agent = agent
        self.subscribers: list[Subscriber] = []
        self.body = WAITING
        agent.events = ("message-summary",)
        agent.on_subscribe = self.take

    def take(self, subscriber: Subscriber) -> None:
        self.subscribers.append(subscriber)
        subscriber.accept()
        subscriber.on_refresh = lambda: subscriber.notify(self.body, SUMMARY)
        subscriber.notify(self.body, SUMMARY)

    @property
    def latest(self) -> Subscriber:
        return self.subscribers[-1]


async def mailbox_and_phone(context: Context) -> tuple[Mailbox, UserAgent]:
    return Mailbox(await UserAgent.open(context, "mailbox")), await UserAgent.open(context, "phone")


def states(heard: list[Notification]) -> list[str]:
    return [notification.state for notification in heard]


def test_a_subscription_is_made_notified_refreshed_and_ended() -> None:
    async def work(context: Context) -> None:
        mailbox, phone = await mailbox_and_phone(context)
        heard: list[Notification] = []
        subscription = await phone.subscribe(
            mailbox.agent.uri, "message-summary", heard.append, accept=SUMMARY, expires=100
        )
        await asyncio.sleep(0.1)
        assert (heard[0].content_type, heard[0].body, heard[0].state) == (SUMMARY, WAITING, "active")
        mailbox.body = NONE
        mailbox.latest.notify(NONE, SUMMARY)
        await asyncio.sleep(0.1)
        assert heard[-1].body == NONE
        await asyncio.sleep(1_000)
        assert len(mailbox.subscribers) == 1
        assert set(states(heard)) == {"active"}
        assert len(heard) == 2 + 12, "refreshed at 80 s of 100, and told again each time"
        await subscription.unsubscribe()
        await asyncio.sleep(0.1)
        assert (states(heard)[-1], subscription.is_over, mailbox.latest.is_over) == ("terminated", True, True)
        assert (phone._usages, mailbox.agent._usages) == ({}, {})
        count = len(heard)
        mailbox.latest.notify(WAITING, SUMMARY)
        await asyncio.sleep(300)
        assert len(heard) == count, "nothing follows the last one"
        await phone.close()
        await mailbox.agent.close()

    assert virtually(work) == virtually(work)


def test_a_subscription_that_is_not_refreshed_lapses_and_tells_so() -> None:
    async def work(context: Context) -> None:
        mailbox = Mailbox(await UserAgent.open(context, "mailbox"))
        peer = await Peer.open(context)
        lines = ("Event: message-summary", "Expires: 60", f"Accept: {SUMMARY}")
        response = await peer.ask(mailbox.agent, peer.request("SUBSCRIBE", mailbox.agent, *lines))
        assert (response.status, response.number("expires")) == (200, 60)
        first = peer.requests("NOTIFY")[0]
        assert (first.get("subscription-state"), first.get("event")) == ("active;expires=60", "message-summary")
        peer.answer(first, mailbox.agent, 200)
        await asyncio.sleep(60)
        last = peer.requests("NOTIFY")[-1]
        assert last.get("subscription-state") == "terminated;reason=timeout"
        assert mailbox.latest.is_over
        assert mailbox.agent._usages == {}
        await mailbox.agent.close()
        peer.port.close()

    virtually(work)


def test_what_a_notifier_refuses() -> None:
    async def work(context: Context) -> None:
        mailbox = Mailbox(await UserAgent.open(context, "mailbox"))
        peer = await Peer.open(context)
        for at, (lines, due) in enumerate(
            (
                (("Event: presence",), 489),
                ((), 489),
                (("Event: message-summary", f"Expires: {MIN_EXPIRES - 1}"), 423),
                (("Event: message-summary", "Expires: soon"), 400),
                (("Event: message-summary;id=7", "Expires: 60"), 200),
            )
        ):
            response = await peer.ask(mailbox.agent, peer.request("SUBSCRIBE", mailbox.agent, *lines, branch=f"s{at}"))
            assert response.status == due, lines
            if due == 489:
                assert response.get("allow-events") == "message-summary"
            if due == 423:
                assert response.number("min-expires") == MIN_EXPIRES
        notify = peer.requests("NOTIFY")
        assert {request.get("event") for request in notify} == {"message-summary;id=7"}, (
            "who was refused is told nothing"
        )
        tag = mailbox.latest.local_tag
        for at, (method, line, due) in enumerate(
            (
                ("SUBSCRIBE", "Expires: 1", 423),
                ("NOTIFY", "Event: message-summary", 405),
                ("INFO", "Subject: x", 405),
                ("OPTIONS", "Accept: text/plain", 200),
                ("SUBSCRIBE", "Expires: 120", 200),
                ("SUBSCRIBE", "Expires: 0", 200),
                ("SUBSCRIBE", "Expires: 60", 481),
            )
        ):
            data = peer.request(
                method,
                mailbox.agent,
                line,
                "Event: message-summary",
                branch=f"d{at}",
                call_id="s4",
                cseq=2 + at,
                tag=tag,
            )
            assert (await peer.ask(mailbox.agent, data)).status == due, (method, line)
        assert (peer.requests("NOTIFY")[-1].get("subscription-state") or "").startswith("terminated")
        mailbox.agent.on_subscribe = None
        response = await peer.ask(mailbox.agent, peer.request("SUBSCRIBE", mailbox.agent, "Event: message-summary"))
        assert response.status == 489
        await mailbox.agent.close()
        peer.port.close()

    virtually(work)


def test_a_notify_that_outruns_the_answer_makes_the_dialog() -> None:
    async def work(context: Context) -> None:
        phone = await UserAgent.open(context, "phone", credentials=("phone", "pw"))
        peer = await Peer.open(context)
        host, port = peer.port.local
        heard: list[Notification] = []
        asking = asyncio.ensure_future(
            phone.subscribe(f"sip:box@{host}:{port}", "message-summary", heard.append, accept=SUMMARY, expires=100)
        )
        await asyncio.sleep(0.1)
        peer.answer(
            peer.requests("SUBSCRIBE")[0],
            phone,
            401,
            'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"',
        )
        await asyncio.sleep(0.1)
        subscribe = peer.requests("SUBSCRIBE")[-1]
        assert subscribe.cseq.number == 2
        lines = ("Event: message-summary", "Subscription-State: active;expires=50")
        notify = peer.request("NOTIFY", phone, *lines, call_id=subscribe.call_id, tag=subscribe.from_tag)
        assert (await peer.ask(phone, notify)).status == 200
        peer.answer(subscribe, phone, 200, "Expires: 100")
        subscription = await asking
        assert states(heard) == ["active"]
        await asyncio.sleep(81)
        again = peer.requests("SUBSCRIBE")[-1]
        assert (again.cseq.number, again.to_tag) == (3, "p")
        peer.answer(again, phone, 200, "Expires: 100")
        await asyncio.sleep(0.1)
        assert subscription.dialog is not None
        subscription.end()
        await phone.close()
        peer.port.close()

    virtually(work)


async def subscribed(context: Context, phone: UserAgent, heard: list[Notification]) -> tuple[Peer, Request]:
    """A subscription at a notifier driven by hand, and its SUBSCRIBE."""
    peer = await Peer.open(context)
    host, port = peer.port.local
    asking = asyncio.ensure_future(
        phone.subscribe(f"sip:box@{host}:{port}", "message-summary", heard.append, accept=SUMMARY, expires=100)
    )
    await asyncio.sleep(0.1)
    subscribe = peer.requests("SUBSCRIBE")[0]
    peer.answer(subscribe, phone, 200, "Expires: 100")
    await asking
    return peer, subscribe


def test_a_subscription_without_any_notify_is_given_up() -> None:
    async def work(context: Context) -> None:
        phone = await UserAgent.open(context, "phone")
        peer, _ = await subscribed(context, phone, [])
        await asyncio.sleep(33)
        lost = context.journal.find("phone", "subscription.lost")
        assert lost is not None and lost.data["reason"] == "no NOTIFY"
        assert phone._usages == {}
        await phone.close()
        peer.port.close()

    virtually(work)


def test_a_refresh_that_fails_leaves_what_was_granted_and_481_ends_it() -> None:
    async def work(context: Context) -> None:
        for status, lives in ((500, True), (481, False)):
            phone = await UserAgent.open(context, f"phone{status}")
            heard: list[Notification] = []
            peer, subscribe = await subscribed(context, phone, heard)
            lines = ("Event: message-summary", "Subscription-State: active;expires=100")
            ids = {"call_id": subscribe.call_id, "tag": subscribe.from_tag}
            assert (await peer.ask(phone, peer.request("NOTIFY", phone, *lines, branch="a", **ids))).status == 200  # type: ignore[arg-type]
            await asyncio.sleep(81)
            peer.answer(peer.requests("SUBSCRIBE")[-1], phone, status)
            await asyncio.sleep(1)
            due = 200 if lives else 481
            again = peer.request("NOTIFY", phone, *lines, branch="b", cseq=2, **ids)  # type: ignore[arg-type]
            assert (await peer.ask(phone, again)).status == due
            await phone.close()
            peer.port.close()

    virtually(work)


def test_one_that_the_notifier_ended_is_made_anew_where_that_makes_sense() -> None:
    async def work(context: Context) -> None:
        mailbox, phone = await mailbox_and_phone(context)
        heard: list[Notification] = []
        await phone.subscribe(mailbox.agent.uri, "message-summary", heard.append, accept=SUMMARY, expires=100)
        await asyncio.sleep(0.1)
        mailbox.latest.terminate("deactivated")
        await asyncio.sleep(2)
        assert states(heard) == ["active", "terminated", "active"]
        assert len(mailbox.subscribers) == 2
        mailbox.latest.terminate("noresource")
        await asyncio.sleep(100)
        assert len(mailbox.subscribers) == 2
        assert phone._usages == {}
        await phone.close()
        await mailbox.agent.close()

    virtually(work)


def test_notifies_are_held_against_what_was_subscribed() -> None:
    async def work(context: Context) -> None:
        phone = await UserAgent.open(context, "phone")
        heard: list[Notification] = []
        peer, subscribe = await subscribed(context, phone, heard)
        active = "Subscription-State: active;expires=100"
        for at, (method, lines, due) in enumerate(
            (
                ("NOTIFY", ("Event: presence", active), 489),
                ("NOTIFY", ("Event: message-summary",), 400),
                ("NOTIFY", ("Event: MESSAGE-SUMMARY", active), 200),
                ("SUBSCRIBE", ("Event: message-summary",), 405),
                ("BYE", (), 405),
                ("OPTIONS", (), 200),
                ("NOTIFY", ("Event: message-summary", "Subscription-State: terminated;reason=rejected"), 200),
                ("NOTIFY", ("Event: message-summary", active), 481),
            )
        ):
            data = peer.request(
                method, phone, *lines, branch=f"n{at}", cseq=1 + at, call_id=subscribe.call_id, tag=subscribe.from_tag
            )
            assert (await peer.ask(phone, data)).status == due, (method, lines)
        assert states(heard) == ["active", "terminated"]
        await phone.close()
        peer.port.close()

    virtually(work)


def test_a_single_look_and_a_longer_life_that_is_asked_for() -> None:
    async def work(context: Context) -> None:
        mailbox, phone = await mailbox_and_phone(context)
        heard: list[Notification] = []
        await phone.subscribe(mailbox.agent.uri, "message-summary", heard.append, accept=SUMMARY, expires=0)
        await asyncio.sleep(0.1)
        assert (states(heard), heard[0].body) == (["terminated"], WAITING)
        subscription = await phone.subscribe(
            mailbox.agent.uri, "message-summary", heard.append, accept=SUMMARY, expires=2
        )
        assert subscription.expires == MIN_EXPIRES, "423 named the least"
        with pytest.raises(SipLocalError, match="489"):
            await phone.subscribe(mailbox.agent.uri, "presence", heard.append, accept=SUMMARY)
        with pytest.raises(SipLocalError, match="no answer in 32 s"):
            await phone.subscribe("sip:127.0.0.1:9", "presence", heard.append, accept=SUMMARY, within=40)
        phone.routes.permit = _refuse
        with pytest.raises(InterlockError):
            await phone.subscribe(mailbox.agent.uri, "message-summary", heard.append, accept=SUMMARY)
        await phone.close()
        await asyncio.sleep(0.1)
        assert mailbox.latest.is_over, "closing takes a subscription back"
        await mailbox.agent.close()

    virtually(work)


def _refuse(uri: str) -> None:
    raise InterlockError(uri)


def test_message_waiting_that_nobody_subscribed_to_is_taken_where_it_is_wanted() -> None:
    async def work(context: Context) -> None:
        phone = await UserAgent.open(context, "phone")
        voicemail = await UserAgent.open(context, "voicemail")
        headers = [("Event", "message-summary"), ("Subscription-State", "active")]

        async def tell() -> int:
            response = await voicemail.request("NOTIFY", phone.uri, headers=headers, body=WAITING, content_type=SUMMARY)
            return response.status

        assert await tell() == 481
        got: list[bytes] = []

        def hear(request: Request) -> int:
            got.append(request.body)
            return 200

        phone.on_notify = hear
        assert (await tell(), got) == (200, [WAITING])
        await voicemail.close()
        await phone.close()

    virtually(work)


def test_more_subscriptions_than_the_bound_get_503() -> None:
    async def work(context: Context) -> None:
        mailbox = Mailbox(await UserAgent.open(context, "mailbox", trace=False))
        peer = await Peer.open(context)
        for at in range(MAX_USAGES):
            mailbox.agent._usages["x", str(at)] = mailbox  # type: ignore[assignment]
        response = await peer.ask(mailbox.agent, peer.request("SUBSCRIBE", mailbox.agent, "Event: message-summary"))
        assert (response.status, response.number("retry-after")) == (503, 10)
        mailbox.agent._usages.clear()
        await mailbox.agent.close()
        peer.port.close()

    virtually(work)


# INFO, MESSAGE, OPTIONS


async def established(context: Context, theirs: Abilities) -> tuple[UserAgent, UserAgent, Call, IncomingCall]:
    taken: list[IncomingCall] = []

    def take(call: IncomingCall) -> None:
        taken.append(call)
        answering(call)

    switch = await UserAgent.open(context, "switch", on_invite=take, abilities=theirs)
    trunk = await UserAgent.open(context, "trunk")
    call = trunk.invite(switch.uri, offer=OFFER)
    await call.answered(within=1)
    await asyncio.sleep(0.1)
    return trunk, switch, call, taken[0]


def test_info_is_taken_of_the_packages_that_are_known() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, there = await established(context, Abilities(info_packages=("g.eCall", "dtmf")))
        assert call.request.get("recv-info") is None
        got: list[bytes] = []

        def hear(call: Call, request: Request) -> int:
            got.append(request.body)
            return 200 if request.body else 415

        relay = {"content": b"Signal=5\r\n", "content_type": "application/dtmf-relay"}
        assert (await call.send("INFO", within=1, **relay)).status == 200, "without a package, as of RFC 2976"  # type: ignore[arg-type]
        there.on_info = hear
        for package, due in (("dtmf", 200), ("g.eCall;x=y", 200), ("nothing", 469)):
            response = await call.send("INFO", headers=[("Info-Package", package)], within=1, **relay)  # type: ignore[arg-type]
            assert response.status == due
            if due == 469:
                assert response.get("recv-info") == "g.eCall, dtmf"
        assert (await call.send("INFO", within=1)).status == 415
        assert got == [b"Signal=5\r\n"] * 2 + [b""]
        event = context.journal.find("switch", "call.info")
        assert event is not None and event.data["content_type"] == "application/dtmf-relay"
        await trunk.close()
        await switch.close()

    virtually(work)


def test_info_of_a_package_is_refused_where_none_is_known() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, _ = await established(context, Abilities())
        response = await call.send("INFO", headers=[("Info-Package", "dtmf")], within=1)
        assert (response.status, response.get("recv-info")) == (469, "")
        await trunk.close()
        await switch.close()

    virtually(work)


def test_messages_are_handed_on_outside_calls_and_within() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, _ = await established(context, Abilities())
        assert (await call.send("MESSAGE", content=b"hello", content_type="text/plain", within=1)).status == 405
        got: list[bytes] = []

        def hear(request: Request) -> int:
            got.append(request.body)
            return 200

        switch.on_message = hear
        assert (await call.send("MESSAGE", content=b"hello", content_type="text/plain", within=1)).status == 200
        response = await trunk.request("MESSAGE", switch.uri, body="\N{POLICE CAR}".encode(), content_type="text/plain")
        assert (response.status, got) == (200, [b"hello", "\N{POLICE CAR}".encode()])
        await trunk.close()
        await switch.close()

    virtually(work)


def test_options_within_a_call_and_outside_tell_the_same() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, _ = await established(context, Abilities(software="ICCS 1.0"))
        switch.events = ("message-summary", "dialog")
        inside, outside = await call.send("OPTIONS", within=1), await trunk.options(switch.uri)
        for response in (inside, outside):
            assert response.status == 200
            assert "INVITE" in response.values("allow")
            assert response.values("allow-events") == ["message-summary", "dialog"]
            assert response.get("server") == "ICCS 1.0"
            assert response.get("accept-encoding") == "identity"
        await trunk.close()
        await switch.close()

    virtually(work)
