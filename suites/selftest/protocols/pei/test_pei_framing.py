"""Line splitting in both directions: what terminals really send, noise, and no growth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PeiRemoteError
from harness.protocols.pei.framing import MAX_LINE, Body, CommandLines, ReplyLines


def drain(lines: CommandLines) -> list[str | Body | PeiRemoteError]:
    """All that can be taken now; a CMGS line switches to its body as the terminal does."""
    items: list[str | Body | PeiRemoteError] = []
    while (item := lines.take()) is not None:
        items.append(item)
        if isinstance(item, str) and item.upper().startswith("AT+CMGS="):
            lines.expect_body()
    return items


def test_replies_framed_by_cr_lf_or_lf_alone_and_a_prompt_are_read() -> None:
    lines = ReplyLines()
    assert lines.feed(b"\r\n+CTICN: 1,0\r\n\r\nOK\r\nERROR\n> +CMGS: 1\r\n") == [
        "+CTICN: 1,0",
        "OK",
        "ERROR",
        "+CMGS: 1",
    ]


def test_half_a_line_waits_for_its_end() -> None:
    lines = ReplyLines()
    assert lines.feed(b"\r\nO") == []
    assert lines.feed(b"K\r") == ["OK"]
    assert lines.feed(b"\n") == []


def test_noise_is_one_named_error_and_the_next_line_is_read() -> None:
    first, second = ReplyLines().feed(b"\x00\x00\xff\x01garbage\r\nOK\r\n")
    assert isinstance(first, PeiRemoteError)
    assert "noise" in str(first)
    assert second == "OK"


def test_a_hundred_kilobytes_without_newline_are_one_error_and_no_growth() -> None:
    lines = ReplyLines()
    seen: list[str | PeiRemoteError] = []
    for _ in range(100):
        seen += lines.feed(b"A" * 1000)
        assert len(lines._buffer) <= MAX_LINE
    seen += lines.feed(b"tail\r\nOK\r\n")
    assert [type(item) for item in seen] == [PeiRemoteError, str]
    assert seen[1] == "OK"


def test_commands_end_in_cr_lf_cr_or_lf() -> None:
    lines = CommandLines()
    lines.push(b"AT\r\nATE0\rAT+CSQ\n\n")
    assert drain(lines) == ["AT", "ATE0", "AT+CSQ"]


def test_a_body_that_comes_in_pieces_of_whole_lines_is_no_command() -> None:
    lines = CommandLines()
    lines.push(b"AT+CMGS=4001234,32\r\n")
    assert lines.take() == "AT+CMGS=4001234,32"
    lines.expect_body()
    assert lines.take() is None
    lines.push(b"8204\r\n")
    assert lines.take() is None
    lines.push(b"0141\x1a")
    assert lines.take() == Body("82040141")
    lines.push(b"AT+CSQ\r\n")
    assert [lines.take(), lines.take()] == ["AT+CSQ", None]


def test_a_body_runs_to_ctrl_z_over_line_ends_and_esc_gives_it_up() -> None:
    lines = CommandLines()
    lines.push(b"AT+CMGS=4001234,32\r\n8204\r\nAB01\x1aAT+CMGS=1,8\r\n00\x1bAT\r\n")
    assert drain(lines) == ["AT+CMGS=4001234,32", Body("8204AB01"), "AT+CMGS=1,8", Body(None), "AT"]


def test_a_command_line_without_end_is_one_error_and_no_growth() -> None:
    lines = CommandLines()
    seen: list[object] = []
    for _ in range(100):
        lines.push(b"A" * 1000)
        seen += drain(lines)
        assert len(lines._buffer) <= MAX_LINE
    lines.push(b"\r\nAT\r\n")
    seen += drain(lines)
    assert [type(item) for item in seen] == [PeiRemoteError, str]


@given(st.lists(st.binary(max_size=3 * MAX_LINE), max_size=8))
def test_no_bytes_break_or_grow_a_splitter(chunks: list[bytes]) -> None:
    replies, commands = ReplyLines(), CommandLines()
    for chunk in chunks:
        for item in replies.feed(chunk):
            assert isinstance(item, str | PeiRemoteError)
        commands.push(chunk)
        drain(commands)
        assert len(replies._buffer) <= MAX_LINE
        assert len(commands._buffer) <= MAX_LINE


@given(st.lists(st.from_regex(r"[A-Z+:, 0-9]{1,60}", fullmatch=True), max_size=10), st.integers(1, 7))
def test_lines_do_not_depend_on_how_they_are_cut(texts: list[str], size: int) -> None:
    stream = "".join(f"\r\n{text}\r\n" for text in texts).encode()
    lines, pieces = ReplyLines(), ReplyLines()
    whole = lines.feed(stream)
    cut = [item for at in range(0, len(stream), size) for item in pieces.feed(stream[at : at + size])]
    assert cut == whole == [text.strip() for text in texts if text.strip()]
