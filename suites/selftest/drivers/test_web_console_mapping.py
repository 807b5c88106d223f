"""The file that maps a web console: errors tell file, line, what was found and what is allowed; nothing gets out of a
selector."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drivers.web_console.mapping import ACTS, SIMULATOR, filled, load_pages
from harness.errors import TestbedError

WHOLE = """\
open: /desk/{position}
ready: "#desk"
refused: "#no"
acts:
  login: {do: [{click: "#in"}]}
  key: {do: [{press: "[data-group='{talkgroup}']"}]}
shows:
  - {rows: li, key: id, state: class, data: {call: {attribute: id}}, events: {ringing: call.ringing}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "vendor.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_of_two_acts_is_whole(tmp_path: Path) -> None:
    assert set(load_pages(written(tmp_path, WHOLE)).acts) == {"login", "key"}


def test_the_simulators_console_maps_every_act() -> None:
    assert set(load_pages(SIMULATOR).acts) == set(ACTS)


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ('{click: "#in"}', '{clack: "#in"}', r"vendor.yaml:5: acts.login.do.0.clack: found the unknown key 'clack'"),
        ('{click: "#in"}', '{click: "#in", fill: "#x"}', "vendor.yaml:5: .*a step is one of click, fill, choose"),
        ('{click: "#in"}', '{fill: "#in"}', "vendor.yaml:5: .*'with' goes with fill and choose"),
        ("{talkgroup}", "{call}", r"vendor.yaml:6: acts.key: found \{call\}; allowed: talkgroup"),
        ("  key:", "  kee:", "vendor.yaml:6: acts: found the act 'kee'; allowed: login, logout, answer"),
        ("  login:", "  logout:", "vendor.yaml:4: acts: found no 'login'"),
        ("call.ringing", "Ringing", "vendor.yaml:8: shows.0.events.ringing: found 'Ringing'"),
        ('ready: "#desk"\n', "", "vendor.yaml:1: ready: found nothing"),
        ('"#no"', "*no", "vendor.yaml:3: found the alias"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(tmp_path: Path, good: str, bad: str, told: str) -> None:
    assert good in WHOLE
    with pytest.raises(TestbedError, match=told):
        load_pages(written(tmp_path, WHOLE.replace(good, bad)))


def test_a_name_stays_within_its_quotes() -> None:
    """A talkgroup's name with a quote in it names a talkgroup, and no other element."""
    told = filled("[data-group='{talkgroup}'] .ptt", {"talkgroup": "x'], body *[a='"}, selector=True)
    assert told == r"[data-group='x\'], body *[a=\''] .ptt"
    assert filled("{talkgroups[1]}", {"talkgroups": ["A", "B'"]}, selector=False) == "B'"
