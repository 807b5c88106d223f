"""The enterprise switch and its telephones of a testbed file: from the file to a call, and the interlock."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.errors import InterlockError, TestbedError
from harness.testbed.bench import open_bench
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed

FILE = """\
name: switch
components:
  iccs: {role: iccs}
  switch:
    role: enterprise_switch
    simulator:
      lines:
        - {number: "3101", name: Front Desk, external: "+441314960101", password: test-telephone}
        - {number: "3102", name: Back Office, password: test-telephone}
      trunks:
        - {name: to-iccs, peers: [{component: iccs}], options: null}
      routes:
        - {pattern: "9.!", trunks: [to-iccs], strip_pre_dot: true}
  front-desk: {role: telephone, line: "3101"}
  back-office: {role: telephone, line: "3102"}
"""
REAL = """\
name: switch
safety: {dial: ["3101", "3102"]}
components:
  switch: {role: enterprise_switch, binding: real, sip: "127.0.0.1:9"}
  front-desk: {role: telephone, line: "3101", password: test-telephone}
"""
TODAY = date(2026, 1, 5)


def written(folder: Path, text: str) -> Path:
    path = folder / "testbed.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.virtual_time
async def test_a_bench_hands_over_telephones_that_call_each_other(tmp_path: Path) -> None:
    testbed = load_testbed(written(tmp_path, FILE))
    async with open_bench(testbed, today=TODAY, addresses=None, virtual=True, seed=1) as bench:
        front, back = await bench.telephone("front-desk"), await bench.telephone("back-office")
        call = await front.dial("3102")
        rung = await back.rings()
        assert rung.number == "3101"
        await rung.answer()
        await call.answered(within=5)
        kinds = {entry.kind for entry in bench.addresses if entry.name == "switch"}
        assert kinds == {"sip", "http", "records", "ntp", "clock"}


@pytest.mark.virtual_time
async def test_a_trunk_leads_to_another_component_of_the_file(tmp_path: Path) -> None:
    text = FILE.replace("iccs: {role: iccs}", "iccs: {role: iccs, simulator: {queues: {emergency: ['999']}}}")
    testbed = load_testbed(written(tmp_path, text))
    async with open_bench(testbed, today=TODAY, addresses=None, virtual=True, seed=1) as bench:
        call = await (await bench.telephone("front-desk")).dial("9999")
        await call.ringing(within=5)


def test_on_a_real_switch_nothing_leaves_that_the_file_does_not_allow(tmp_path: Path) -> None:
    interlock = Interlock(load_testbed(written(tmp_path, REAL)), TODAY)
    for number in ("999", "+447700900123", "101"):
        with pytest.raises(InterlockError):
            interlock.dial(f"sip:{number}@127.0.0.1:9")
    interlock.dial("sip:3102@127.0.0.1:9")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("component: iccs", "component: nowhere", "nowhere"),
        ('line: "3102"}', 'line: "3102", of: iccs}', "enterprise_switch"),
        ('number: "3102", name: Back Office', 'number: "3101"', "given twice"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(TestbedError, match=told):
        load_testbed(written(tmp_path, FILE.replace(old, new)))
