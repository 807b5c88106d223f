"""Codes and commands: what real terminals are known to send, round trips, and nothing but the named error."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PeiRemoteError
from harness.protocols.pei import commands, unsolicited
from harness.protocols.pei.codes import CmeError, ReleaseCause, describe
from harness.protocols.pei.commands import CommandRefusedError, parse_command
from harness.protocols.pei.fields import Unsolicited, identity, label, number
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.unsolicited import (
    IncomingCall,
    OtherCode,
    SelectedGroup,
    SendResult,
    TransmissionGrant,
    parse_unsolicited,
)


@pytest.mark.parametrize("line", ["+CTICN: 1,0,0,5,4001234", "+CTICN:1,0,0,5,4001234", "+cticn : 1, 0, 0, 5, 4001234"])
def test_the_blank_after_the_colon_is_optional(line: str) -> None:
    assert parse_unsolicited(line) == IncomingCall(1, 0, 0, 5, "4001234")


def test_own_grant_has_four_fields_and_anothers_six() -> None:
    assert parse_unsolicited("+CTXG: 1,0,0,0") == TransmissionGrant(1, 0, 0, 0)
    assert parse_unsolicited("+CTXG: 1,3,0,0,1,09011638304001234").talker == "09011638304001234"  # type: ignore[attr-defined]


def test_connected_is_read_with_seven_and_with_eight_fields() -> None:
    seven = parse_unsolicited("+CTCC: 1,1,1,0,0,1,1")
    eight = parse_unsolicited("+CTCC: 1,1,1,0,0,1,1,0")
    assert isinstance(seven, unsolicited.Connected)
    assert isinstance(eight, unsolicited.Connected)
    assert (seven.cc, seven.proprietary, eight.proprietary) == (1, None, 0)


def test_selected_group_of_the_reference_sheet() -> None:
    assert parse_unsolicited("+CTGS: 1,09011638300000001") == SelectedGroup(1, "09011638300000001")


@pytest.mark.parametrize(
    ("digits", "who"), [("0A0088BD4247F737FFE810", "Motorola, padded"), ("0A0088BD4247F737FFE81", "Sepura")]
)
def test_an_sds_of_84_bits_is_taken_in_22_and_in_21_digits(digits: str, who: str) -> None:
    sds = parse_unsolicited("+CTSDSR: 12,4001234,0,4001001,0,84", digits)
    assert isinstance(sds, SdsReceived)
    assert sds.payload == bytes.fromhex("0A0088BD4247F737FFE810"), who


@pytest.mark.parametrize("head", ["+CTSDSR: 13,,,4001001,0,16", "+CTSDSR: 13,4001001,0,16"])
def test_calling_fields_of_an_sds_may_be_absent(head: str) -> None:
    sds = parse_unsolicited(head, "8005")
    assert isinstance(sds, SdsReceived)
    assert (sds.calling, sds.called, sds.payload) == (None, "4001001", b"\x80\x05")


@pytest.mark.parametrize("hex_line", [None, "80", "800", "800500", "80XY", ""])
def test_hex_that_does_not_fit_is_refused(hex_line: str | None) -> None:
    with pytest.raises(PeiRemoteError):
        parse_unsolicited("+CTSDSR: 13,1,0,2,0,16", hex_line)


def test_a_code_without_a_class_keeps_its_fields() -> None:
    assert parse_unsolicited("+CTXD: 1,2,3") == OtherCode("+CTXD", ("1", "2", "3"))


@pytest.mark.parametrize(
    "line", ["", "OK", "+", "+CTCR:", "+CTCR: x", "+CTXG: 1", "+CTCR: 99999999999999", "+CTGS: 1,abc"]
)
def test_nonsense_is_the_named_error(line: str) -> None:
    with pytest.raises(PeiRemoteError):
        parse_unsolicited(line)


@given(st.text(max_size=200), st.none() | st.text(max_size=40))
def test_no_text_raises_anything_else(text: str, hex_line: str | None) -> None:
    for line in (text, "+CTSDSR: " + text, "+CTICN:" + text, "+CTXG: " + text, "+CNUMS: " + text):
        try:
            assert isinstance(parse_unsolicited(line, hex_line), Unsolicited)
        except PeiRemoteError:
            continue


_numbers = st.integers(0, 99999)
_digits = st.from_regex(r"[0-9]{1,17}", fullmatch=True)
_names = st.from_regex(r"[A-Za-z][A-Za-z0-9 -]{0,14}[A-Za-z0-9]", fullmatch=True)


@st.composite
def codes(draw: st.DrawFn) -> Unsolicited:
    """Any code, with trailing fields missing or not."""
    if draw(st.booleans()):
        payload = draw(st.binary(min_size=1, max_size=64))
        calling = draw(st.none() | _digits)
        return SdsReceived(12, calling, 0 if calling else None, draw(_digits), 0, 8 * len(payload), payload)
    cls = draw(st.sampled_from(unsolicited._CLASSES))
    given_fields = dataclasses.fields(cls)
    least = sum(item.default is dataclasses.MISSING for item in given_fields)
    values = {}
    for item in given_fields[: draw(st.integers(least, len(given_fields)))]:
        read = item.metadata["read"]
        kinds = {number: _numbers, identity: _digits, label: _names}
        values[item.name] = draw(kinds[read])
    return cls(**values)


@given(codes())
def test_codes_round_trip(code: Unsolicited) -> None:
    line, _, hex_line = code.line().partition("\r\n")
    assert parse_unsolicited(line, hex_line or None) == code


def test_commands_of_the_reference_sheet() -> None:
    assert commands.DefineCall().line() == "AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0"
    assert [service.line() for service in (commands.VOICE_SERVICE, commands.STATUS_SERVICE)] == [
        "AT+CTSP=2,0,0",
        "AT+CTSP=1,2,20",
    ]
    assert commands.sds_service(130).line() == "AT+CTSP=1,3,130"
    assert (commands.SDS_TYPE_4.line(), commands.SDS_STATUS.line()) == ("AT+CTSDS=12,0,0,0,1", "AT+CTSDS=13,0")
    assert parse_command("at d 2001;") == commands.Dial("2001")
    assert parse_command("AT+CTGS?") == commands.Query("+CTGS")
    assert parse_command("AT+CNUMS=?") == commands.Query("+CNUMS", test=True)


@pytest.mark.parametrize(
    ("line", "cme"),
    [
        ("hello", CmeError.SYNTAX),
        ("ATD9001#x", CmeError.DIAL_STRING),
        ("ATD" + "1" * 40, CmeError.DIAL_STRING_LONG),
        ("AT+CTXD=x", CmeError.TYPE),
        ("AT+CTXD=1,9", CmeError.RANGE),
        ("AT+CTXD", CmeError.SYNTAX),
        ("AT+CTXD=", CmeError.SYNTAX),
        ("AT+CTXD=1,2,3", CmeError.SYNTAX),
        ('AT+CMGS="4001","hello"', CmeError.TYPE),
        ("AT+CMGS=4001,4096", CmeError.RANGE),
        ("AT+CTGS=1", CmeError.SYNTAX),
        ("AT+CTGS=9,2001", CmeError.RANGE),
        ("ATQ7", CmeError.UNSUPPORTED),
        ("AT+", CmeError.SYNTAX),
    ],
)
def test_what_a_terminal_refuses_and_with_which_error(line: str, cme: CmeError) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        parse_command(line)
    assert refused.value.cme is cme


@given(st.text(max_size=200))
def test_no_command_text_raises_anything_else(text: str) -> None:
    for line in (text, "AT" + text, "AT+CMGS=" + text, "AT+CTSDC=" + text, "ATD" + text, "AT+CTGS=" + text):
        try:
            parsed = parse_command(line)
        except CommandRefusedError:
            continue
        assert parse_command(parsed.line()) == parsed


_small = st.integers(0, 65535)


@given(
    st.one_of(
        st.builds(commands.RegisterService, _small, _small, _small),
        st.builds(commands.KeyTransmit, _small, st.integers(0, 3)),
        st.builds(commands.Unkey, _small),
        st.builds(commands.Dial, _digits),
        st.builds(commands.SendSds, st.integers(0, 16777215).map(str), st.integers(1, 2047)),
        st.builds(commands.DefineCall, priority=st.integers(0, 15), comms=st.integers(0, 3)),
    )
)
def test_commands_round_trip(command: commands.Command) -> None:
    assert parse_command(command.line()) == command


def test_numbers_are_told_with_their_meaning() -> None:
    assert describe(ReleaseCause, 38) == "38 (transmit authorisation lost)"
    assert describe(ReleaseCause, 25) == "25 (reserved)"
    assert describe(CmeError, 34) == "34 (parameter out of range)"
    assert SendResult(1, 4).line() == "+CMGS: 1,4"


def test_a_field_that_may_be_missing_is_left_out_when_it_cannot_be_read() -> None:
    odd: list[PeiRemoteError] = []
    assert parse_unsolicited("+CTICN: 1,0,0,?,4001234,1,1,0,1,1,x,2001", odd=odd) == IncomingCall(
        1, 0, 0, None, "4001234", 1, 1, 0, 1, 1, None, "2001"
    )
    assert [str(error).split(" is ")[0] for error in odd] == ["+CTICN: calling_type", "+CTICN: called_type"]
    with pytest.raises(PeiRemoteError):
        parse_unsolicited("+CTXG: 1,x", odd=odd)


@pytest.mark.parametrize(
    ("head", "called_type", "e2ee"),
    [
        ("+CTSDSR: 12,4001001,16", 0, None),
        ("+CTSDSR:12,4001001,1,16", 1, None),
        ("+CTSDSR: 12,4001001,1,16,0", 1, 0),
        ("+CTSDSR: 12,,,4001001,1,16,0", 1, 0),
        ("+CTSDSR: 12,,,4001001,1,1,16", 1, 1),
    ],
)
def test_the_head_of_an_sds_is_read_whatever_it_leaves_out(head: str, called_type: int, e2ee: int | None) -> None:
    assert parse_unsolicited(head, "82 00") == SdsReceived(
        12, None, None, "4001001", called_type, 16, b"\x82\x00", e2ee
    )
