"""The radio network in virtual time, reached by serial lines and audio jacks only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.endpoints.media import MediaService, open_media
from harness.endpoints.pei import KeyOutcome, TerminalEquipment
from harness.errors import LocalError, PeiLocalError
from harness.protocols.pei.codes import Grant
from harness.protocols.tetra.sds import ReportRequest
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork

CONFIG = RadioConfig(
    talkgroups={"GD-OPS-1": 2001, "GD-OPS-2": 2002},
    terminals=[
        TerminalConfig("gateway", 4000001, "GD-OPS-1", role="radio_gateway"),
        TerminalConfig("officer", 4001234, "GD-OPS-1"),
        TerminalConfig("sergeant", 4001235, "GD-OPS-1"),
        TerminalConfig("elsewhere", 4001236, "GD-OPS-2"),
        TerminalConfig("off", 4001237, "GD-OPS-1", registered=False),
    ],
    seed=7,
)
NAMES = tuple(terminal.name for terminal in CONFIG.terminals)


class Air:
    """A network, and an equipment on every terminal's line."""

    def __init__(self, context: Context, network: RadioNetwork, lines: dict[str, TerminalEquipment]) -> None:
        self.context = context
        self.journal = context.journal
        self.network = network
        self.lines = lines

    def __getitem__(self, name: str) -> TerminalEquipment:
        return self.lines[name]

    def told(self, name: str, kind: str) -> list[float]:
        """When `name` was told so."""
        return [event.time for event in self.journal if (event.source, event.kind) == (name, kind)]

    @classmethod
    async def up(
        cls, config: RadioConfig, media: MediaService | None = None, seed: int = 1, *, refused: bool = False
    ) -> Air:
        """Everything started, every service registered for; some `refused`, where the make of terminal does that."""
        context = Context.create(seed=seed)
        network = await RadioNetwork.start(context, media, config, virtual=True)
        lines = {}
        for address in network.addresses():
            if address["kind"] == "serial":
                te = await TerminalEquipment.open(context, address["name"], address["url"], baud=115_200)
                assert bool(await te.register_services()) is refused
                lines[address["name"]] = te
        return cls(context, network, lines)


def virtually(main: Callable[[], Awaitable[None]]) -> None:
    """Runs a test in virtual time."""

    async def bounded() -> None:
        async with asyncio.timeout(3600):
            await main()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(bounded())


def test_a_set_up_takes_about_300_ms_and_a_grant_in_the_call_less() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        set_ups, grants = [], []
        for _ in range(20):
            first = await air["officer"].key(2001)
            set_ups.append(first.waited_s)
            await air["officer"].unkey(first.cc)
            await asyncio.sleep(1)
            again = await air["officer"].key(2001)
            grants.append(again.waited_s)
            await air["officer"].unkey(again.cc)
            await air.journal.expect("officer", "radio.released", within=10, after=air.journal.position)
        assert 0.24 < min(set_ups) < max(set_ups) < 0.37
        assert sum(set_ups) / 20 == pytest.approx(0.3, abs=0.03)
        assert 0.11 < min(grants) < max(grants) < 0.18
        assert len(set(set_ups)) > 15
        await air.network.stop()

    virtually(main)


def test_all_on_the_talkgroup_are_shown_the_talker_and_nobody_else() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        outcome = await air["officer"].key(2001)
        for name in ("gateway", "sergeant"):
            event = await air.journal.expect(name, "radio.talker", within=0.1)
            assert event.data["issi"] == 4001234
            assert event.data["with"] == "2001"
        await air["officer"].unkey(outcome.cc)
        for name in ("gateway", "sergeant"):
            await air.journal.expect(name, "radio.ceased", within=0.2)
            released = await air.journal.expect(name, "radio.released", within=6)
            assert released.data["cause"] == "13 (expiry of timer)"
        others = [event.kind for event in air.journal if event.source in ("elsewhere", "off")]
        assert set(others) == {"pei.command"}
        hang = air.told("gateway", "radio.released")[0] - air.told("gateway", "radio.ceased")[0]
        assert hang == pytest.approx(CONFIG.hang_time_s, abs=0.05)

    virtually(main)


def test_a_second_talker_is_queued_and_granted_when_the_first_has_done() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        first = await air["officer"].key(2001)
        await air.journal.expect("sergeant", "radio.talker", within=1)
        second = await air["sergeant"].key(2001)
        assert second.grant is Grant.QUEUED
        third = await air["gateway"].key(2001)
        assert third.grant is Grant.QUEUED
        await air["gateway"].unkey(third.cc)
        await air["officer"].unkey(first.cc)
        assert (await air["sergeant"].granted(second.cc, within=1)).granted
        await air.journal.expect("officer", "radio.talker", within=1, issi=4001235)
        await air["sergeant"].unkey(second.cc)
        await air.journal.expect("officer", "radio.released", within=10)
        assert not air.told("gateway", "radio.grant") or "granted" not in [
            event.data["grant"] for event in air.journal if event.source == "gateway" and event.kind == "radio.grant"
        ]

    virtually(main)


def test_without_a_queue_a_second_talker_is_refused() -> None:
    async def main() -> None:
        air = await Air.up(replace(CONFIG, queue_requests=False))
        await air["officer"].key(2001)
        await air.journal.expect("sergeant", "radio.talker", within=1)
        outcome = await air["sergeant"].key(2001)
        assert outcome == KeyOutcome(outcome.cc, Grant.NOT_GRANTED, outcome.waited_s, "00010000104001234")

    virtually(main)


@pytest.mark.parametrize("gap", [n / 100 for n in range(0, 46)])
@pytest.mark.parametrize("up", [False, True])
def test_however_two_keys_meet_one_talks_and_the_other_waits(gap: float, up: bool) -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        if up:
            await air["gateway"].unkey((await air["gateway"].key(2001)).cc)
            await asyncio.sleep(1)

        async def late() -> KeyOutcome:
            await asyncio.sleep(gap)
            return await air["sergeant"].key(2001)

        first, second = await asyncio.gather(air["officer"].key(2001), late())
        assert sorted((first.grant, second.grant)) == [Grant.GRANTED, Grant.QUEUED]
        talker, waiter = ("officer", "sergeant") if first.granted else ("sergeant", "officer")
        outcomes = {"officer": first, "sergeant": second}
        await asyncio.sleep(2)
        await air[talker].unkey(outcomes[talker].cc)
        assert (await air[waiter].granted(outcomes[waiter].cc, within=1)).granted
        await air[waiter].unkey(outcomes[waiter].cc)
        await air.journal.expect("gateway", "radio.released", within=10, after=air.journal.position)
        bad = [event.told() for event in air.journal if event.data.get("severity") == "warning"]
        assert bad == []

    virtually(main)


def test_an_emergency_takes_the_floor() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        await air["officer"].key(2001)
        await air.journal.expect("sergeant", "radio.talker", within=1)
        assert (await air["sergeant"].key(2001, priority=15)).granted
        await air.journal.expect("officer", "radio.talker", within=1, issi=4001235)
        assert air.journal.find("radio", "net.floor_pre_empted", by="sergeant")

    virtually(main)


def test_a_stuck_key_is_timed_out() -> None:
    async def main() -> None:
        air = await Air.up(replace(CONFIG, max_talk_s=60.0))
        outcome = await air["officer"].key(2001)
        began = air.journal.now()
        await air.journal.expect("officer", "radio.ceased", within=61)
        assert air.journal.now() - began == pytest.approx(60, abs=0.1)
        assert air.journal.find("radio", "net.talked_too_long", severity="warning")
        await air["officer"].unkey(outcome.cc)
        await air.journal.expect("gateway", "radio.released", within=10)

    virtually(main)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.1, 0.29])
def test_a_key_let_go_before_the_grant_leaves_no_open_microphone(after: float) -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        keyed = asyncio.ensure_future(air["officer"].key(2001))
        await asyncio.sleep(after)
        keyed.cancel()
        await asyncio.gather(keyed, return_exceptions=True)
        await asyncio.sleep(3)
        granted, ceased = (
            [e.time for e in air.journal if e.kind == kind] for kind in ("net.floor_granted", "net.floor_ceased")
        )
        assert len(granted) == len(ceased)
        assert all(end - start < 0.3 for start, end in zip(granted, ceased, strict=True))
        assert (await air["sergeant"].key(2001)).granted

    virtually(main)


def test_a_late_comer_enters_the_call_and_a_leaver_leaves_it() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        await air["officer"].key(2001)
        await air["elsewhere"].select_group(2001)
        await air.journal.expect("elsewhere", "radio.talker", within=1.2, issi=4001234)
        await air["elsewhere"].select_group(2002)
        await air.journal.expect("elsewhere", "radio.released", within=0.1)
        assert (await air["elsewhere"].key(2002)).granted

    virtually(main)


def test_a_talker_who_leaves_frees_the_floor() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        await air["officer"].key(2001)
        await air["officer"].hang_up()
        await air.journal.expect("sergeant", "radio.ceased", within=1)
        assert (await air["sergeant"].key(2001)).granted

    virtually(main)


def test_who_is_unknown_out_of_coverage_or_dialled_as_a_group_is_told_so() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        for number, cause in (("2999", "16 (unknown TETRA identity)"), ("4001235", "7 (incompatible traffic case)")):
            await air["officer"].command(f"ATD{number}")
            await air.journal.expect("officer", "radio.released", within=1, cause=cause)
        with pytest.raises(PeiLocalError, match=r"30 \(out of service\)"):
            await air["off"].key(2001)

    virtually(main)


def test_messages_reach_issi_and_group_with_results_and_a_report() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        assert (await air["officer"].send_status(4000001, 32773)).sent
        event = await air.journal.expect("gateway", "status.received", within=0.1)
        assert dict(event.data) == {"issi": 4001234, "to": 4000001, "value": 32773, "status_kind": "user"}
        sent = await air["officer"].send_text(4000001, "on scene", report=ReportRequest.RECEIVED)
        text = await air.journal.expect("gateway", "sds.received", within=0.1, text="on scene")
        assert text.data["issi"] == 4001234
        report = await air.journal.expect("officer", "sds.report", within=1)
        assert report.data["reference"] == sent.reference
        assert not (await air["officer"].send_text(4001237, "out of coverage")).sent
        assert not (await air["officer"].send_text(4009999, "nobody")).sent
        assert (await air["gateway"].send_text(2001, "all units")).sent
        for name in ("officer", "sergeant"):
            await air.journal.expect(name, "sds.received", within=0.1, text="all units", to=2001)
        assert not air.told("elsewhere", "sds.received")

    virtually(main)


def test_one_seed_gives_one_journal_and_another_seed_another() -> None:
    def journal(seed: int) -> str:
        lines: list[str] = []

        async def main() -> None:
            air = await Air.up(replace(CONFIG, seed=seed))
            first, _ = await asyncio.gather(air["officer"].key(2001), air["sergeant"].send_text(4000001, "x"))
            second = await air["sergeant"].key(2001)
            await air["officer"].unkey(first.cc)
            await air["sergeant"].granted(second.cc, within=1)
            await air["sergeant"].unkey(second.cc)
            await asyncio.sleep(10)
            await air.network.stop()
            lines.append(air.journal.lines())

        virtually(main)
        return lines[0]

    assert journal(7) == journal(7)
    assert journal(7) != journal(8)


def test_speech_is_heard_only_from_the_grant_on_and_only_by_the_group() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        media = await open_media(context, in_process=True)
        network = await RadioNetwork.start(context, media, CONFIG, virtual=True)
        jacks = {}
        lines = {}
        for address in network.addresses():
            if address["kind"] == "rtp":
                host, port = address["url"].removeprefix("rtp://").split(":")
                jacks[address["name"]] = jack = await media.open_port(address["name"] + " lead")
                await jack.connect((host, int(port)), dtmf_payload_type=None)
            else:
                te = await TerminalEquipment.open(context, address["name"], address["url"], baud=115_200)
                await te.register_services()
                lines[address["name"]] = te
        await asyncio.sleep(1)
        for name in ("sergeant", "gateway", "elsewhere", "officer"):
            await jacks[name].record()
        tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(2 * 8000) / 8000)).astype(np.int16)
        began = await jacks["officer"].play(tone)
        outcome = await lines["officer"].key(2001)
        granted = context.journal.now()
        await jacks["officer"].played()
        await lines["officer"].unkey(outcome.cc)
        await asyncio.sleep(0.5)
        heard = {name: await jacks[name].recorded() for name in ("sergeant", "gateway", "elsewhere", "officer")}

        def loud(name: str) -> tuple[float, float]:
            samples = np.abs(heard[name].samples.astype(np.int32)) > 1000
            found = np.flatnonzero(samples)
            return (heard[name].start + found[0] / 8000, len(found) / 8000) if len(found) else (0.0, 0.0)

        for name in ("sergeant", "gateway"):
            first, length = loud(name)
            assert granted - 0.02 < first < granted + 0.25, (name, granted, first)
            assert first - began > 0.25  # the front is clipped by the set-up
            assert 1.3 < length / 0.92 < 2.0
        assert loud("elsewhere") == loud("officer") == (0.0, 0.0)
        await network.stop()
        await media.close()

    virtually(main)


@pytest.mark.parametrize(
    "bad",
    [
        {"terminals": [TerminalConfig("a", 1), TerminalConfig("a", 2)]},
        {"terminals": [TerminalConfig("a", 2001)]},
        {"terminals": [TerminalConfig("a", 1, "NO-SUCH")]},
        {"terminals": [TerminalConfig("a", 1 << 24)]},
        {"mcc": 1000},
    ],
)
def test_a_network_that_can_not_be_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(LocalError):
        replace(CONFIG, **bad)  # type: ignore[arg-type]
