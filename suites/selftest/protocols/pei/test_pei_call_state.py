"""Every cell of the PEI call table, written a second time and in another form."""

from __future__ import annotations

import pytest

from harness.protocols.pei.call_state import COMMANDS, TABLE, CallState, Input, following

_LETTERS = dict(zip("iorncqtl" "ad", [
    CallState.IDLE, CallState.ORIGINATING, CallState.REQUESTING, CallState.INCOMING, CallState.CONTENDING,
    CallState.QUEUED, CallState.TALKING, CallState.LISTENING, CallState.ACTIVE, CallState.DUPLEX,
], strict=True))  # fmt: skip
# i idle, o originating, n incoming, a active, r requesting, c contending, q queued, t talking, l listening,
# d duplex; - no cell
_EXPECTED = """
                    i o n a r c q t l d
DIAL                o - - - - - - - - -
ANSWER              - - n - - - - - - -
HANG_UP             - i i i i i i i i i
KEY                 - - r r - - - - c -
UNKEY               - o - a a l l a l -
RING                n - n - - - - - - -
PROGRESS            - o - a r c q - l d
CONNECTED           - a a a r c q t l d
CONNECTED_DUPLEX    - d d d - - - d d d
GRANTED             - t t t t t t t t d
NOT_GRANTED         - a - a a l l a l d
GRANT_QUEUED        - q - a q q q - l -
GRANTED_TO_ANOTHER  - c l l c c q l l d
CEASED              - - a a r r q a a d
RELEASED            i i i i i i i i i i
"""


def cells() -> list[tuple[CallState, Input, CallState | None]]:
    """The table above, cell by cell."""
    head, *rows = [row.split() for row in _EXPECTED.strip("\n").splitlines()]
    return [
        (_LETTERS[column], Input[row[0]], None if letter == "-" else _LETTERS[letter])
        for row in rows
        for column, letter in zip(head, row[1:], strict=True)
    ]


@pytest.mark.parametrize(("state", "given", "expected"), cells())
def test_cell(state: CallState, given: Input, expected: CallState | None) -> None:
    assert following(state, given) is expected


def test_the_walk_above_is_of_every_cell() -> None:
    assert {(state, given) for state, given, _ in cells()} == {(s, i) for s in CallState for i in Input}
    assert set(TABLE) == set(CallState)


def test_a_release_is_taken_in_every_state_and_a_call_can_always_be_cleared() -> None:
    assert all(following(state, Input.RELEASED) is CallState.IDLE for state in CallState)
    assert all(following(state, Input.HANG_UP) for state in CallState if state is not CallState.IDLE)
    assert Input.RELEASED not in COMMANDS
