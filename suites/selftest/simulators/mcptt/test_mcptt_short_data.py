"""Short data through the MCPTT server: to one and to a group, delivered and read, refused, dispositions of nothing."""

from __future__ import annotations

import asyncio

import pytest
from mcptt_in_virtual_time import Network, network

from harness.endpoints.mcptt import McpttTerminal
from harness.errors import McpttLocalError
from harness.protocols.mcdata.info import GROUP, HEADERS, ONE_TO_ONE, McdataInfo
from harness.protocols.mcdata.message import ShortData
from harness.protocols.mcdata.sds import Disposition, Notification, Payload, Signalling, Wanted

pytestmark = pytest.mark.virtual_time

ONE, TWO, THREE = (f"sip:officer-{number}@mcptt.example" for number in (1, 2, 3))
GROUP_1, GROUP_2 = "sip:GD-OPS-1@mcptt.example", "sip:GD-OPS-2@mcptt.example"
DATA = "sip:mcdata@mcptt.example"
TEXT = Payload.of_text("All in order")
IDS = bytes(16), bytes(range(16))


async def two(there: Network) -> tuple[McpttTerminal, McpttTerminal]:
    """Two users who are registered."""
    return await there.terminal("officer-1", registers=True), await there.terminal("officer-2", registers=True)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [(None, []), (Wanted.DELIVERY, ["delivered"]), (Wanted.READ, ["read"]), (Wanted.BOTH, ["delivered", "read"])],
)
async def test_a_text_to_one_is_received_and_what_became_of_it_is_told_as_wanted(
    wanted: Wanted | None, told: list[str]
) -> None:
    async with network() as there:
        sender, receiver = await two(there)
        reference = await sender.texts.send(TWO, TEXT, wanted=wanted)
        came = await there.expect("officer-2", "mcdata.received", reference=reference)
        assert (came.data["user"], came.data["group"], came.data["text"]) == ("officer-1", None, "All in order")
        await asyncio.sleep(0.5)
        if "read" in told:
            await receiver.texts.read(reference)
        with pytest.raises(McpttLocalError, match="no message"):
            await receiver.texts.read(reference)
        await asyncio.sleep(0.5)
        found = there.told("officer-1", "mcdata.disposition")
        assert [event.data["told"] for event in found] == told
        assert {(event.data["user"], event.data["reference"]) for event in found} <= {("officer-2", reference)}


async def test_both_ways_of_one_conversation_have_one_identity_and_each_message_its_own() -> None:
    async with network() as there:
        sender, receiver = await two(there)
        references = [await sender.texts.send(TWO, TEXT), await sender.texts.send(TWO, TEXT)]
        await there.expect("officer-2", "mcdata.received", reference=references[1])
        references.append(await receiver.texts.send(ONE, TEXT))
        await there.expect("officer-1", "mcdata.received", reference=references[2])
        assert len(set(references)) == 3
        assert len({conversation for conversation, _ in there.server._short_data._sent}) == 1


async def test_a_status_to_a_group_reaches_its_members_who_are_there_and_nobody_else() -> None:
    layout = {"groups": [{"name": "GD-OPS-1", "members": ["officer-1", "officer-2", "dispatcher"]}]}
    async with network(layout) as there:
        sender, _ = await two(there)
        await there.terminal("officer-3", registers=True)
        await sender.texts.send(GROUP_1, Payload.of_status(32773), group=True, wanted=Wanted.DELIVERY)
        came = await there.expect("officer-2", "mcdata.received", status=32773)
        assert (came.data["user"], came.data["group"], came.data["text"]) == ("officer-1", "GD-OPS-1", None)
        await there.expect("officer-1", "mcdata.disposition", user="officer-2", told="delivered")
        await asyncio.sleep(0.5)
        assert not there.told("officer-3", "mcdata.received")
        assert not there.told("officer-1", "mcdata.received")


async def test_who_is_unknown_not_there_or_no_member_is_refused() -> None:
    async with network() as there:
        sender, other = await two(there)
        for to, group, status in (
            ("sip:nobody@mcptt.example", False, 404),
            (THREE, False, 480),
            ("sip:GD-OPS-9@mcptt.example", True, 404),
        ):
            with pytest.raises(McpttLocalError, match=f"refuses the message: {status}"):
                await sender.texts.send(to, TEXT, group=group)
        with pytest.raises(McpttLocalError, match="403"):
            await other.texts.send(GROUP_2, TEXT, group=True)
        stranger = await there.terminal("nobody")
        with pytest.raises(McpttLocalError, match="403"):
            await stranger.texts.send(TWO, TEXT)
        assert not there.told("officer-2", "mcdata.received")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (ShortData(McdataInfo(ONE_TO_ONE), Signalling(*IDS), (TEXT,)), 403),
        (ShortData(McdataInfo(ONE_TO_ONE), Signalling(*IDS), (TEXT,), (TWO, THREE)), 403),
        (ShortData(McdataInfo(ONE_TO_ONE), Signalling(*IDS), (), (TWO,)), 400),
        (ShortData(McdataInfo("one-to-one-fd"), Signalling(*IDS), (TEXT,), (TWO,)), 404),
        (ShortData(McdataInfo(GROUP), Signalling(*IDS), (TEXT,)), 404),
        (ShortData(McdataInfo(), Notification(*IDS, Disposition.READ), to=(TWO,)), 403),
    ],
)
async def test_what_does_not_say_for_whom_or_of_what_is_refused(data: ShortData, status: int) -> None:
    async with network() as there:
        sender, _ = await two(there)
        with pytest.raises(McpttLocalError, match=f"refuses the message: {status}"):
            await sender._station.send(DATA, HEADERS, *data.parts())
        assert not there.told("officer-2", "mcdata.received")


async def test_a_disposition_goes_to_the_sender_and_to_nobody_else() -> None:
    async with network() as there:
        sender, receiver = await two(there)
        await sender.texts.send(TWO, TEXT, wanted=Wanted.READ)
        came = await there.expect("officer-2", "mcdata.received")
        _, signalling = receiver.texts._unread[came.data["reference"]]
        told = Notification(signalling.conversation, signalling.message, 9)
        with pytest.raises(McpttLocalError, match="403"):
            await receiver._station.send(DATA, HEADERS, *ShortData(McdataInfo(), told, to=(THREE,)).parts())
        await receiver._station.send(DATA, HEADERS, *ShortData(McdataInfo(), told, to=(ONE,)).parts())
        await there.expect("officer-1", "mcdata.disposition", told="disposition 9")


async def test_what_a_terminal_can_not_read_it_refuses() -> None:
    async with network() as there:
        await two(there)
        data = ShortData(McdataInfo(ONE_TO_ONE), Signalling(*IDS), (TEXT,))
        there.server._desk.send_parts("officer-2", HEADERS, *data.parts())  # of nobody
        await there.expect("mcptt", "message.not_taken", user="officer-2", why="400 Bad Request")
        parts = data.parts()
        cut = [parts[0], type(parts[1])(parts[1].content_type, parts[1].body[:20])]
        there.server._desk.send_parts("officer-2", HEADERS, *cut)
        await there.expect("officer-2", "message.unreadable")
