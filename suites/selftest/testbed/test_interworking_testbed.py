"""An interworking gateway in a testbed file: what may stand there, and that it starts between the two networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.testbed.load import load_testbed

FILE = """name: t
talkgroups: {{A: 1001, B: 1002}}
components:
  radio: {{role: radio_network}}
  esn: {{role: mcptt_server, simulator: {{users: [{{name: iwf}}, {{name: other}}],
         groups: [{{name: X}}, {{name: Y}}, {{name: Z, members: [other]}}]}}}}
  {0}
"""


def join(talkgroup: str = "A", group: str = "X", user: str = "iwf", issi: int = 4009201) -> str:
    return f"{{talkgroup: {talkgroup}, issi: {issi}, group: {group}, user: {user}}}"


def gateway(*joins: str, name: str = "iwf", of: str = "esn", more: str = "") -> str:
    return f"{name}: {{role: interworking_gateway, of: {of}, {more}simulator: {{joins: [{', '.join(joins)}]}}}}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (gateway(join(), of="tetra"), "found 'tetra'; allowed: a component with role 'mcptt_server' (esn)"),
        (gateway(join(talkgroup="C")), "joins.0.talkgroup: found 'C'; allowed: A, B"),
        (gateway(join(group="W")), "joins.0.group: found 'W'; allowed: a group of esn (X, Y, Z)"),
        (gateway(join(group="Z")), "joins.0.user: found 'iwf'; allowed: a member of Z (other)"),
        (gateway(join(issi=1001)), "found 1001; allowed: an identity of its own; talkgroup A has this"),
        (gateway(join(), more="binding: real, "), "can only be simulated, found 'real'"),
        (gateway(join(), join(issi=4009202)), "closes a loop"),
        (
            "\n  ".join(
                [
                    gateway(join("A", "X"), join("B", "Y", issi=4009202)),
                    gateway(join("A", "Y", issi=4009203), join("B", "X", issi=4009204), name="second"),
                ]
            ),
            "components.second.simulator.joins.1: found 'B and X'; allowed: two that are not joined yet",
        ),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(FILE.format(text), encoding="utf-8")
    with pytest.raises(TestbedError) as error:
        load_testbed(file)
    assert told in str(error.value)


def test_two_talkgroups_may_be_joined_to_one_group(tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(FILE.format(gateway(join("A"), join("B", issi=4009202))), encoding="utf-8")
    assert load_testbed(file).components["iwf"].role == "interworking_gateway"
