"""Testbed files: what is wrong with one is told by file, line, key, what was found and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import TestbedError
from harness.testbed.components import Binding
from harness.testbed.load import MAX_DEPTH, MAX_ERRORS, MAX_FILE, MAX_VALUES, load_testbed

SIMULATED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "simulated.yaml"

SMALL = """\
name: small
talkgroups: {GD-OPS-1: 1001, GD-OPS-2: 1002}
safety:
  dial: ["01314960*"]
  key: [GD-OPS-1]
components:
  iccs:
    role: iccs
    simulator:
      positions:
        - {site: govan, first: 1, last: 3}
        - {id: govan-31, role: dispatcher, talkgroups: [GD-OPS-1]}
      subscribers:
        - {user: "2001", password: test-telephone}
  trunk-999:
    role: emergency_trunk
    to: iccs
  govan-1: {role: console, position: govan-01}
  officer:
    role: radio_terminal
    issi: 4001234
    talkgroup: GD-OPS-1
  gateway.1: {role: radio_gateway, issi: 4009001, talkgroup: GD-OPS-1}
  radio: {role: radio_network}
"""


def written(folder: Path, text: str | bytes) -> Path:
    """A testbed file with that text."""
    path = folder / "testbed.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(folder: Path, text: str | bytes) -> str:
    """What is told of a file, its name cut off."""
    path = written(folder, text)
    with pytest.raises(TestbedError) as caught:
        load_testbed(path)
    assert all(line.startswith(f"{path}:") for line in str(caught.value).splitlines())
    return str(caught.value).replace(f"{path}:", "")


def changed(old: str, new: str) -> str:
    """SMALL with one place changed."""
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def test_the_files_that_come_with_the_project_load() -> None:
    testbed = load_testbed(SIMULATED)
    assert testbed.name == "niccs-simulated"
    assert testbed.real() == []
    assert {each.binding for each in testbed.components.values()} == {Binding.SIMULATED}


def test_the_small_file_loads(tmp_path: Path) -> None:
    testbed = load_testbed(written(tmp_path, SMALL))
    assert list(testbed.components) == ["iccs", "trunk-999", "govan-1", "officer", "gateway.1", "radio"]


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    assert load_testbed(written(tmp_path, b"\xef\xbb\xbf" + SMALL.encode())).name == "small"


ONE_CHANGE = {
    "wrong role": (
        "role: emergency_trunk",
        "role: trunk",
        "16: components.trunk-999.role: found 'trunk'; allowed: 'iccs', 'radio_network', ",
    ),
    "no role": ("    role: emergency_trunk\n", "", "15: components.trunk-999.role: found nothing; allowed: "),
    "wrong binding": (
        "    to: iccs",
        "    binding: faked",
        "17: components.trunk-999.binding: found 'faked'; allowed: 'simulated', 'real' or 'manual'",
    ),
    "ISSI too high": (
        "issi: 4001234",
        "issi: 16777216",
        "21: components.officer.issi: found 16777216; allowed: less than or equal to 16777215",
    ),
    "ISSI zero": ("issi: 4001234", "issi: 0", "21: components.officer.issi: found 0; allowed: greater than or equal"),
    "ISSI no number": (
        "issi: 4001234",
        "issi: me",
        "21: components.officer.issi: found 'me'; allowed: a valid integer",
    ),
    "ISSI of another": (
        "issi: 4009001",
        "issi: 4001234",
        "23: components.gateway.1.issi: found 4001234; allowed: an identity of its own; officer has this",
    ),
    "ISSI of a group": (
        "issi: 4009001",
        "issi: 1002",
        "23: components.gateway.1.issi: found 1002; allowed: an identity of its own; talkgroup GD-OPS-2 has this",
    ),
    "GSSI twice": (
        "GD-OPS-2: 1002",
        "GD-OPS-2: 1001",
        "2: talkgroups.GD-OPS-2: found 1001; allowed: an identity of its own; talkgroup GD-OPS-1 has this one",
    ),
    "unknown talkgroup": (
        "issi: 4009001, talkgroup: GD-OPS-1",
        "issi: 4009001, talkgroup: GD-OPS-9",
        "23: components.gateway.1.talkgroup: found 'GD-OPS-9'; allowed: GD-OPS-1, GD-OPS-2",
    ),
    "unknown talkgroup of a position": (
        "talkgroups: [GD-OPS-1]}",
        "talkgroups: [GD-OPS-9]}",
        "12: components.iccs.simulator.positions.1.talkgroups: found 'GD-OPS-9'; allowed: GD-OPS-1, GD-OPS-2",
    ),
    "unknown talkgroup allowed": (
        "key: [GD-OPS-1]",
        "key: [GD-OPS-9]",
        "5: safety.key.0: found 'GD-OPS-9'; allowed: GD-OPS-1, GD-OPS-2",
    ),
    "two gateways on a talkgroup": (
        "radio: {role: radio_network}",
        "gateway.2: {role: radio_gateway, issi: 4009002, talkgroup: GD-OPS-1}",
        "24: components.gateway.2.talkgroup: found 'GD-OPS-1'; allowed: a talkgroup of its own; gateway gateway.1 has",
    ),
    "gateway that stands by for another talkgroup's": (
        "radio: {role: radio_network}",
        "gateway.2: {role: radio_gateway, issi: 4009002, talkgroup: GD-OPS-2, standby_of: gateway.1}",
        "24: components.gateway.2.standby_of: found 'gateway.1'; allowed: the gateway that works GD-OPS-2 (none is",
    ),
    "gateway that stands by for itself": (
        "radio: {role: radio_network}",
        "gateway.2: {role: radio_gateway, issi: 4009002, talkgroup: GD-OPS-1, standby_of: gateway.2}",
        "24: components.gateway.2.standby_of: found 'gateway.2'; allowed: the gateway that works GD-OPS-1 (gateway.1)",
    ),
    "two networks": (
        "radio: {role: radio_network}",
        "radio: {role: radio_network}\n  radio2: {role: radio_network}",
        "25: components.radio2.role: found 'radio_network'; allowed: one radio network",
    ),
    "trunk to nowhere": (
        "    to: iccs",
        "    to: radio",
        "17: components.trunk-999.to: found 'radio'; allowed: a component with role 'iccs' (iccs)",
    ),
    "console of nowhere": (
        "position: govan-01}",
        "position: govan-01, of: officer}",
        "18: components.govan-1.of: found 'officer'; allowed: a component with role 'iccs' (iccs)",
    ),
    "real terminal without a line": (
        "    issi: 4001234",
        "    issi: 4001234\n    binding: real",
        "19: components.officer: a real terminal needs 'serial.url' beginning with one of /dev/, rfc2217://, socket://",
    ),
    "real terminal without audio": (
        "    issi: 4001234",
        "    issi: 4001234\n    binding: real\n    serial: {url: /dev/ttyUSB0}",
        "19: components.officer: a real terminal needs 'audio': rtp://host:port or sound:NAME",
    ),
    "simulated terminal with a line": (
        "    issi: 4001234",
        "    issi: 4001234\n    serial: {url: /dev/ttyUSB0}",
        "19: components.officer: 'serial.url' is for real equipment",
    ),
    "gateway on a sound card": (
        "issi: 4009001,",
        "issi: 4009001, binding: real, serial: {url: /dev/ttyUSB0}, audio: 'sound:USB',",
        "23: components.gateway.1: a gateway's 'audio' is plugged into the ICCS: rtp://host:port",
    ),
    "real iccs without an address": (
        "    role: iccs\n    simulator:",
        "    role: iccs\n    binding: real\n    simulator:",
        "7: components.iccs: a real iccs needs 'sip', the host:port at which it takes calls",
    ),
    "real iccs with a simulator": (
        "    role: iccs\n    simulator:",
        "    role: iccs\n    binding: real\n    sip: 192.0.2.1:5060\n    simulator:",
        "7: components.iccs: 'simulator' lays out a simulator, and this one is bound 'real'",
    ),
    "simulated iccs with an address": (
        "    role: iccs\n    simulator:",
        "    role: iccs\n    sip: 192.0.2.1:5060\n    simulator:",
        "7: components.iccs: 'sip', 'control' and 'control_token' are for real equipment",
    ),
    "a port that does not exist": (
        "    to: iccs",
        "    local: 127.0.0.1:70000",
        "17: components.trunk-999.local: found '127.0.0.1:70000'; allowed: ",
    ),
    "audio of no kind": (
        "position: govan-01}",
        "position: govan-01, audio: loud}",
        "18: components.govan-1.audio: found 'loud'; allowed: ",
    ),
    "pattern that allows too much": (
        'dial: ["01314960*"]',
        'dial: ["013*"]',
        "4: safety.dial: '013*' allows too much: a '*' stands at the end, after 5 characters",
    ),
    "extra key": (
        "    to: iccs",
        "    too: iccs",
        "17: components.trunk-999.too: found the unknown key 'too'; allowed: binding, ntp, role, local, to",
    ),
    "extra key at the top": (
        "name: small",
        "name: small\nowner: me",
        "2: owner: found the unknown key 'owner'; allowed: name, stage, numbers, talkgroups, statuses, ",
    ),
    "extra key in a list": (
        'user: "2001",',
        'user: "2001", pin: 1,',
        "14: components.iccs.simulator.subscribers.0.pin: found the unknown key 'pin'; allowed: user, password",
    ),
    "missing key": (
        "    issi: 4001234\n",
        "",
        "19: components.officer.issi: found nothing; allowed: this key, which is needed",
    ),
    "missing name": ("name: small\n", "", "1: name: found nothing; allowed: this key, which is needed"),
    "key that is no name": (
        "  trunk-999:",
        "  Trunk 999:",
        "15: components.Trunk 999: found the key 'Trunk 999'; allowed: ",
    ),
    "list for a mapping": (
        '  dial: ["01314960*"]\n  key: [GD-OPS-1]',
        "  - dial",
        "3: safety: found a list; allowed: a valid dictionary or instance of",
    ),
    "mapping for a number": (
        "issi: 4001234",
        "issi: {a: 1}",
        "21: components.officer.issi: found a mapping; allowed: a",
    ),
    "nothing for a number": (
        "issi: 4001234",
        "issi:",
        "21: components.officer.issi: found nothing; allowed: a valid int",
    ),
    "duplicate key": ("    to: iccs", "    role: iccs", "17: not YAML: found duplicate key"),
    "bad YAML": ("    to: iccs", "  - : {", "not YAML: "),
    "unknown alias": ("name: small", "name: *nobody", "1: not YAML: found undefined alias"),
    "tabs": ("    to: iccs", "\tto: iccs", "17: not YAML: found character '\\t'"),
    "permit that ends before it begins": (
        "  key: [GD-OPS-1]",
        "  permits: [{what: emergency_call, target: '999', valid_from: 2026-02-01, valid_until: 2026-01-01,"
        " approved_by: me}]",
        "5: safety.permits.0: 'valid_until' lies before 'valid_from'",
    ),
}


@pytest.mark.parametrize("what", ONE_CHANGE)
def test_what_is_wrong_is_told(tmp_path: Path, what: str) -> None:
    old, new, told = ONE_CHANGE[what]
    assert told in refused(tmp_path, changed(old, new))


def test_every_error_of_a_file_is_told_each_on_a_line(tmp_path: Path) -> None:
    told = refused(tmp_path, changed("issi: 4001234", "issi: 0").replace("role: emergency_trunk", "role: none"))
    assert re.fullmatch(r"16: components\.trunk-999\.role: .*\n21: components\.officer\.issi: .*", told)


def test_only_so_many_errors_are_told(tmp_path: Path) -> None:
    wrong = "".join(f"x{number}: 1\n" for number in range(MAX_ERRORS + 7))
    told = refused(tmp_path, wrong).splitlines()
    assert len(told) == MAX_ERRORS + 1
    assert told[-1].endswith("and 9 errors more")  # name and components are missing as well


def test_a_secret_that_is_wrong_is_not_shown(tmp_path: Path) -> None:
    told = refused(tmp_path, changed("password: test-telephone", "password: 987654321"))
    assert "987654321" not in told
    assert "subscribers.0.password: found a value that is not shown; allowed: a valid string" in told


def test_an_error_in_a_merged_mapping_is_told_where_it_is_used(tmp_path: Path) -> None:
    text = SMALL.replace("    role: emergency_trunk\n", "    <<: &base {role: emergency_trunk, nonsense: 1}\n")
    told = refused(tmp_path, text)
    assert (
        "components.trunk-999.nonsense: found the unknown key 'nonsense'; allowed: binding, ntp, role, local, to"
        in told
    )


def test_no_mapping(tmp_path: Path) -> None:
    assert "1: found a list; allowed: a mapping with 'name' and 'components'" in refused(tmp_path, "[1, 2]")
    assert "1: found nothing; allowed: a mapping with" in refused(tmp_path, "")
    assert "1: found 'text'; allowed: a mapping with" in refused(tmp_path, "text")


def test_two_documents(tmp_path: Path) -> None:
    assert "not YAML: but found another document" in refused(tmp_path, "a: 1\n---\nb: 1\n")


def test_too_large(tmp_path: Path) -> None:
    assert f"found more than {MAX_FILE} bytes" in refused(tmp_path, "# " + "x" * MAX_FILE)


def test_not_utf_8(tmp_path: Path) -> None:
    assert "2: found byte 0xFF, which is not UTF-8" in refused(tmp_path, b"name: x\nstage: \xff")


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(TestbedError, match=f"found more than {MAX_FILE} bytes"):
        load_testbed(Path("/dev/zero"))


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match=r"nowhere\.yaml: can't be read: No such file or directory"):
        load_testbed(tmp_path / "nowhere.yaml")
    with pytest.raises(TestbedError, match="can't be read: Is a directory"):
        load_testbed(tmp_path)
    with pytest.raises(TestbedError, match="can't be read: embedded null"):
        load_testbed(Path("a\0b"))


def test_aliases_that_stand_for_gigabytes_are_refused(tmp_path: Path) -> None:
    rows = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert f"more than {MAX_VALUES} values" in refused(tmp_path, "\n".join(rows))


def test_an_alias_of_itself_and_deep_nesting_are_refused(tmp_path: Path) -> None:
    assert f"nested deeper than {MAX_DEPTH}" in refused(tmp_path, "&a\na: *a")
    assert f"nested deeper than {MAX_DEPTH}" in refused(tmp_path, "a: " + "[" * 5000)
    assert f"nested deeper than {MAX_DEPTH}" in refused(tmp_path, "a: " + "[" * 40 + "]" * 40)


YAMLISH = st.lists(
    st.sampled_from(
        [*"abc:-[]{}&*!|>%@`#'\",? \n\t", "\n  ", ": ", "- ", "<<: ", "&a ", "*a ", "!!map ", "!!python/x "]
    )
    | st.sampled_from(
        ["---\n", "...\n", "name", "components", "role: iccs", "0x", "1e9", "2026-01-01", "\x00", "é", "~"]
    )
    | st.text(max_size=3),
    max_size=40,
).map("".join)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=YAMLISH, at=st.integers(0, len(SMALL)), alone=st.booleans())
def test_whatever_the_text_nothing_but_a_testbed_error_is_raised(
    tmp_path: Path, text: str, at: int, alone: bool
) -> None:
    raw = text if alone else SMALL[:at] + text + SMALL[at:]
    path = written(tmp_path, raw.encode("utf-8", "surrogatepass"))
    try:
        load_testbed(path)
    except TestbedError as error:
        assert str(error).startswith(f"{path}:")


def test_what_may_be_keyed_is_named_where_only_handsets_of_a_real_server_are_on_it(tmp_path: Path) -> None:
    text = """\
name: esn
safety: {key: [GD-ESN-1]}
components:
  esn: {role: mcptt_server, binding: real, sip: "192.0.2.1:5060", domain: esn.example}
  handset: {role: mcptt_terminal, binding: real, of: esn, user: officer-1, talkgroup: GD-ESN-1}
"""
    assert load_testbed(written(tmp_path, text)).safety.key == ("GD-ESN-1",)
    told = refused(tmp_path, text.replace("key: [GD-ESN-1]", "key: [GD-ESN-2]"))
    assert "safety.key.0: found 'GD-ESN-2'; allowed: GD-ESN-1" in told
