"""Real equipment is made to fail by a tester, who is asked and says when; with nobody there, the test is skipped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from testers_hand import Hand, pty

from harness.errors import ExpectationError, NotPlayedError
from harness.scenario.cast import Cast
from harness.scenario.load import load_scenario
from harness.testbed.bench import Bench, open_bench
from harness.testbed.load import load_testbed

REAL = """\
name: real-bench
safety: {submit: [contact-us]}
components:
  iccs: {role: iccs, binding: real, sip: "192.0.2.1:5060"}
  airwave: {role: radio_network, binding: real}
  switch: {role: enterprise_switch, binding: real, sip: "192.0.2.2:5060"}
  crm: {role: crm, binding: real, service: "http://192.0.2.3"}
  location: {role: caller_location, binding: real, link: "127.0.0.1:9"}
  contact-us: {role: contact_us, binding: real, address: "http://192.0.2.4"}
"""


@asynccontextmanager
async def bench_with(folder: Path, terminal: str | None) -> AsyncIterator[Bench]:
    file = folder / "bench.yaml"
    file.write_text(REAL + (f"tester: {{terminal: {terminal}}}\n" if terminal else ""), encoding="utf-8")
    async with open_bench(load_testbed(file), today=date(2026, 1, 1), addresses=None, virtual=False) as bench:
        yield bench


async def test_a_tester_kills_a_node_cuts_sites_and_trunks_and_says_when(tmp_path: Path) -> None:
    with pty() as (master, terminal):
        async with bench_with(tmp_path, terminal) as bench:
            hand = Hand(master, {"which core node": "node-a", "[Enter": ""})
            nodes, links = await bench.core_nodes(), await bench.site_links()
            switch, crm = await bench.switch_faults(), await bench.crm()
            assert await nodes.serving_node() == "node-a"
            await nodes.kill_core_node("node-a")
            await nodes.repair_core_node("node-a")
            await links.cut_site("motherwell")
            await links.restore_site("motherwell")
            await switch.fail_trunk("carrier-a", "refusing")
            await switch.mend_trunk("carrier-a")
            await switch.cut_site("govan")
            await switch.mend_site("govan")
            await crm.fail("slow", seconds=3)
            await crm.recover()
            location = await bench.location_service()
            await location.fail("down")
            await location.recover()
            with pytest.raises(NotPlayedError, match="only a simulator can be made to be garbled"):
                await location.fail("garbled")
            await hand.leave()
            asked = [line.partition(".  [")[0] for line in hand.read.splitlines()]
            done = [(event.source, event.kind) for event in bench.journal if event.kind.startswith("tester.")]
    assert asked == [
        "iccs: which core node serves now? An empty line: none",
        "iccs: take the power of core node node-a away, without shutting it down",
        "iccs: start core node node-a again, and wait until it stands by",
        "airwave: cut the link of site motherwell",
        "airwave: link site motherwell again",
        "switch: make trunk carrier-a fail: have its far end refuse calls with 503",
        "switch: make trunk carrier-a work again",
        "switch: cut the link of site govan",
        "switch: link site govan again",
        "crm: have it answer 3 s late",
        "crm: end the fault",
        "location: take it off the network: links to it are refused",
        "location: end the fault",
    ]
    assert done[:4] == [("iccs", "tester.asked"), ("iccs", "tester.done")] * 2
    assert len(done) == 2 * len(asked)


async def test_what_a_tester_cannot_do_is_not_played_and_an_empty_answer_is_no_node(tmp_path: Path) -> None:
    with pty() as (master, terminal):
        async with bench_with(tmp_path, terminal) as bench:
            hand = Hand(master, {"which core node": "", "cut the link": "no the site is live"})
            with pytest.raises(ExpectationError, match="no core node serves"):
                await (await bench.core_nodes()).serving_node()
            with pytest.raises(NotPlayedError, match=r"airwave: the tester can't: cut .* the site is live"):
                await (await bench.site_links()).cut_site("motherwell")
            await hand.leave()


async def test_what_is_well_nobody_is_asked_to_mend(tmp_path: Path) -> None:
    """A test's end mends what it may have broken: where the tester could not break it, or mended it, too."""
    with pty() as (master, terminal):
        async with bench_with(tmp_path, terminal) as bench:
            hand = Hand(master, {"site govan": "no the site is live", "[Enter": ""})
            switch, crm = await bench.switch_faults(), await bench.crm()
            with pytest.raises(NotPlayedError, match="the site is live"):
                await switch.cut_site("govan")
            await (await bench.switch_faults()).mend_site("govan")
            await switch.mend_trunk("carrier-a")
            await switch.fail_trunk("carrier-b")
            for _time in range(2):
                await (await bench.switch_faults()).mend_trunk("carrier-b")
                await crm.recover()
            await hand.leave()
    asked = [line.partition(".  [")[0] for line in hand.read.splitlines()]
    assert asked == [
        "switch: cut the link of site govan",
        "switch: make trunk carrier-b fail: pull its wire",
        "switch: make trunk carrier-b work again",
    ]


async def test_what_a_test_left_failing_is_mended_when_its_bench_ends(tmp_path: Path) -> None:
    """A test that fails in the midst, as a scenario does, leaves a trunk that is cut to the next one."""
    with pty() as (master, terminal):
        async with bench_with(tmp_path, terminal) as bench:
            hand = Hand(master, {"end the fault": "no it is locked", "[Enter": ""})
            await (await bench.switch_faults()).fail_trunk("carrier-a")
            await (await bench.crm()).fail("down")
            await bench.close()
            left = [event.data for event in bench.journal if event.kind == "tester.left"]
            await hand.leave()
    asked = [line.partition(".  [")[0] for line in hand.read.splitlines()][2:]
    assert asked == ["crm: end the fault", "switch: make trunk carrier-a work again"]
    assert [each["thing"] for each in left] == ["service"] and "it is locked" in left[0]["reason"]


async def test_where_nobody_stands_by_it_is_not_played_and_the_reason_says_what_to_do(tmp_path: Path) -> None:
    async with bench_with(tmp_path, None) as bench:
        for asks in (bench.core_nodes, bench.site_links, bench.switch_faults):
            with pytest.raises(NotPlayedError, match="Name a 'tester' in the testbed file"):
                await asks()
        for opens in (bench.crm, bench.location_service):
            with pytest.raises(NotPlayedError, match="is real: it is not made to fail from here"):
                await (await opens()).fail("down")


SCENARIO = """\
id: T-1
title: A record is graded
actors: {crm: {role: crm}}
timeline:
  - crm: {record: {name: Ailsa, telephone: "+447700900999", text: "A bin", received: "2026-01-01T09:00:00Z", key: k}}
  - expect: {on: crm, event: record.made, within: 2 s}
"""


async def test_a_scenario_that_expects_what_a_simulator_alone_tells_is_not_played_and_does_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    async with bench_with(tmp_path, None) as bench:
        with pytest.raises(NotPlayedError, match=r"crm is real, and record\.made is told by a simulator alone"):
            await Cast.open(bench, load_scenario(file))
        assert bench.journal.find("crm", "crm.recorded") is None


async def test_what_a_simulator_alone_tells_of_is_not_waited_for_at_a_real_system(tmp_path: Path) -> None:
    async with bench_with(tmp_path, None) as bench:
        crm, contact = await bench.crm(), await bench.contact_us()
        with pytest.raises(NotPlayedError, match=r"crm is real, and review\.raised is told by a simulator alone"):
            await crm.expect("review.raised", within=3_600.0)
        with pytest.raises(NotPlayedError, match=r"contact-us is real, and crm\.record is told by a simulator alone"):
            await contact.expect("crm.record", within=3_600.0)
        with pytest.raises(NotPlayedError, match="contact-us is real: its staff's side"):
            await contact.receipts()
        with pytest.raises(NotPlayedError, match="it is not told where this Contact Us system takes mail"):
            await contact.mail("iona@example.org", "A message", "The bin is full")
