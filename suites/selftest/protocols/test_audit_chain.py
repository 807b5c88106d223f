"""The chain of an audit trail: what was entered comes back; a line changed, taken out, put in or cut off is found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import AuditChainError
from harness.protocols.audit_chain import MAX_LINE, START, Head, follow, read_head, sealed, verified

ENTRIES = st.dictionaries(
    st.text(max_size=10).filter(lambda key: key not in ("number", "previous", "hash")),
    st.one_of(
        st.text(max_size=40), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)
    ),
    max_size=5,
)


def chain(*entries: dict[str, Any]) -> list[bytes]:
    head, lines = Head(), []
    for entry in entries:
        line, head = sealed(head, entry)
        lines.append(line + b"\n")
    return lines


FIVE = chain(*({"act": f"act-{number}", "target": "govan-12"} for number in range(5)))


@given(st.lists(ENTRIES, max_size=5))
def test_what_was_entered_comes_back(entries: list[dict[str, Any]]) -> None:
    lines = chain(*entries)
    head = Head()
    for line, entry in zip(lines, entries, strict=True):
        found, head = follow(head, line[:-1])
        assert found == entry
    assert verified(lines) == head
    assert head.number == len(entries)
    assert read_head(head.told()) == head


@given(st.data())
def test_no_bit_can_be_changed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, 4))
    line = bytearray(FIVE[at])
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(AuditChainError, match=rf"^line {at + 1}: "):
        verified([*FIVE[:at], bytes(line), *FIVE[at + 1 :]])


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (FIVE[:2] + FIVE[3:], "line 3: it should be number 3"),
        (FIVE[:2] + FIVE[1:], "line 3: it should be number 3"),
        ([FIVE[1]], "line 1: it should be number 1"),
        ([*FIVE[:2], FIVE[3], FIVE[2], *FIVE[4:]], "line 3: it should be number 3"),
        (FIVE[:2] + chain(*({"act": "other"} for _ in range(3)))[2:] + FIVE[3:], "line 3: it does not hold the hash"),
        ([*FIVE[:4], FIVE[4][:-20]], "line 5: it breaks off"),
        ([*FIVE, b"\n"], "line 6: it is not a whole line"),
    ],
    ids=["taken-out", "put-in", "first-ones-gone", "order", "replaced", "cut-off", "empty"],
)
def test_lines_out_of_place_are_found(lines: list[bytes], told: str) -> None:
    with pytest.raises(AuditChainError, match=told):
        verified(lines)


def test_a_shorter_trail_and_one_written_anew_show_against_a_noted_head() -> None:
    noted = verified(FIVE)
    assert verified(FIVE[:4]).number == 4
    with pytest.raises(AuditChainError, match="it ends at line 4, and line 5 was noted"):
        verified(FIVE[:4], noted=[noted])
    anew = chain(*({"act": "harmless"} for _ in range(5)))
    assert verified(anew).number == 5
    with pytest.raises(AuditChainError, match="line 5: another hash was noted"):
        verified(anew, noted=[noted])
    with pytest.raises(AuditChainError, match="number 0"):
        verified(FIVE, noted=[Head(0, "1" * 64)])


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(line: bytes) -> None:
    with pytest.raises(AuditChainError):
        follow(Head(), line)
    with pytest.raises(AuditChainError):
        read_head(line.decode("latin-1"))


@pytest.mark.parametrize(
    "inner", [b"[" * 5000, b"1", b'{"number":NaN,', b"\xff"], ids=["deep", "number", "nan", "no-utf-8"]
)
def test_a_line_with_the_right_hash_of_nonsense_is_refused(inner: bytes) -> None:
    import hashlib  # noqa: PLC0415

    line = inner + f',"hash":"{hashlib.sha256(inner).hexdigest()}"}}'.encode()
    with pytest.raises(AuditChainError):
        follow(Head(), line)


@pytest.mark.parametrize(
    "entry",
    [
        {"hash": "x"},
        {"number": 1},
        {"previous": START},
        {"what": "x" * MAX_LINE},
        {"what": float("nan")},
        {"what": object()},
    ],
)
def test_an_entry_that_can_be_no_line_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(AuditChainError):
        sealed(Head(), entry)


def test_text_that_is_no_utf_8_is_entered_readably() -> None:
    line, _ = sealed(Head(), {"target": "\udcff"})
    assert b"\\udcff" in line


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not here")
def test_anybody_can_check_a_line_with_sed_and_sha256sum(tmp_path: Path) -> None:
    trail = tmp_path / "audit.jsonl"
    trail.write_bytes(b"".join(chain({"act": "dial", "reason": "Straße ☎"}, {"act": "hold"})))
    for number in (1, 2):
        pipe = f"""sed -n {number}p {trail} | sed 's/,"hash":"[0-9a-f]*"}}$//' | tr -d '\\n' | sha256sum"""
        told = subprocess.run(["/bin/sh", "-c", pipe], capture_output=True, text=True, check=True).stdout.split()[0]
        assert f'"hash":"{told}"}}' in trail.read_text(encoding="utf-8").splitlines()[number - 1]
