"""Masks: nothing of a person or a secret passes, test numbers and short ones do, and captures keep their length."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.privacy import UNFINISHED, StreamMask, is_reserved, mask, mask_text, mask_wire

RESERVED = ["07700900123", "%2b447700900123", "+447700900999", "00441314960000", "01414960999", "+441632960123"]
PRIVATE = ["+442079460958", "%2B447911123456", "07911123456", "00441412345678", "01313131313"]


@pytest.mark.parametrize("number", RESERVED)
def test_reserved_numbers_pass(number):
    assert is_reserved(number)
    assert mask_text(f"from {number} to 999") == f"from {number} to 999"


@pytest.mark.parametrize("number", PRIVATE)
def test_private_numbers_are_masked_in_text_and_on_the_wire(number):
    assert not is_reserved(number)
    assert number not in mask_text(f"from {number} to 999")
    wire = f"INVITE sip:999@x SIP/2.0\r\nFrom: <sip:{number}@x>\r\n".encode()
    masked = mask_wire(wire)
    assert number.encode() not in masked
    assert len(masked) == len(wire)


@pytest.mark.parametrize("short", ["999", "101", "4001234", "20260101", "1234567"])
def test_short_numbers_pass(short):
    assert mask_text(f"to {short}.") == f"to {short}."


@pytest.mark.parametrize("key", ["password", "Authorization", "TOKEN", "pin", "Cookie"])
def test_values_under_secret_keys_are_hidden_at_any_depth(key):
    assert "hunter2" not in repr(mask({"outer": [{key: "hunter2"}], key: {"deep": "hunter2"}}))


def test_bearer_tokens_are_hidden():
    assert "abc.def" not in mask_text("Authorization: Bearer abc.def")


def test_a_digest_on_the_wire_loses_its_value_and_keeps_its_length():
    wire = (
        b'REGISTER sip:x SIP/2.0\r\nAuthorization: Digest username="2001", response="deadbeef"\r\nCSeq: 2 REGISTER\r\n'
    )
    masked = mask_wire(wire)
    assert b"deadbeef" not in masked
    assert b"2001" not in masked
    assert b"CSeq: 2 REGISTER" in masked
    assert len(masked) == len(wire)


KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"


@pytest.mark.parametrize("method", ["inline", "INLINE", "InLine"])
def test_an_srtp_key_is_hidden_on_the_wire_and_in_text_and_the_rest_stays(method):
    line = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {method}:{KEY}|2^20|1:4;{method}:{KEY}"
    wire = f"INVITE sip:999@x SIP/2.0\r\n\r\nv=0\r\n{line}\r\na=ptime:20\r\n".encode()
    masked = mask_wire(wire)
    assert KEY.encode() not in masked
    assert len(masked) == len(wire)
    assert f"{method}:{'x' * len(KEY)}|2^20|1:4".encode() in masked
    assert masked.endswith(b"\r\na=ptime:20\r\n")
    for text in (mask_text(line), mask({"body": line})["body"], mask({"lines": [line]})["lines"][0]):
        assert KEY not in text
        assert text == line.replace(KEY, "x" * len(KEY))


@given(st.binary(max_size=400))
def test_the_wire_mask_never_changes_a_length_and_never_fails(data):
    assert len(mask_wire(data)) == len(data)


@given(st.text(max_size=200))
def test_the_text_mask_takes_any_text_and_is_stable(text):
    assert mask_text(mask_text(text)) == mask_text(text)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda c: st.lists(c, max_size=4))
)
def test_values_without_digits_or_secrets_stay(value):
    masked = mask(value)
    if not any(ch.isdigit() for ch in repr(value)) and "earer" not in repr(value):
        assert masked == value


AML = 'A"ML=1;lt=+55.74297;lg=-4.26880;pm=G;si=234302543446355;ei=356708041746734;mcc=234;mnc=30;ml=127'
FORM = "device_number=%2B447700900123&device_imei=354773072099116&device_imsi=234159176307582&cell_id=0213454321"


@pytest.mark.parametrize("text", [AML, FORM], ids=["text", "form"])
def test_what_a_handset_tells_of_itself_is_masked_in_text_and_on_the_wire(text):
    wire = mask_wire(text.encode())
    assert len(wire) == len(text)
    for private in ("2543446355", "8041746734", "3072099116", "9176307582"):
        assert private not in mask_text(text)
        assert private.encode() not in wire
    assert "ml=127" in mask_text(AML)
    assert "device_number=%2B447700900123" in mask_text(FORM)


@pytest.mark.parametrize("key", ["imsi", "IMEI", "vin", "device_imei"])
def test_what_names_a_sim_a_handset_or_a_car_is_hidden(key):
    assert mask({key: "234302543446355"}) == {key: "•••"}


@pytest.mark.parametrize("text", ["issi=4001234567", "gssi=1001", "ei=12345", "si=GD-OPS-1"])
def test_what_only_looks_like_it_passes(text):
    assert mask_text(text) == text


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_a_stream_in_pieces_keeps_its_length(data, cuts):
    mask_of_pieces = StreamMask()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [mask_of_pieces.mask(data[start:end]) for start, end in itertools.pairwise(edges)]
    assert len(b"".join(pieces)) == len(data)


@given(st.sampled_from(PRIVATE), st.integers(1, 13))
def test_a_number_cut_in_two_does_not_pass(number, cut):
    wire = f"ATD{number};\r\n".encode()
    cut = min(cut + 3, len(wire))
    halves = StreamMask()
    masked = halves.mask(wire[:cut]) + halves.mask(wire[cut:])
    digits = number.removeprefix("+44").removeprefix("%2B44").removeprefix("0044").removeprefix("0")
    assert digits[1:-2].encode() not in masked
    assert sum(map(str.isdigit, masked.decode())) < sum(map(str.isdigit, number)) - 3


def test_a_line_without_an_end_stays_masked_and_bounded():
    endless = StreamMask()
    endless.mask(b"Authorization: Digest a=")
    for _ in range(50):
        assert b"secret" not in endless.mask(b"secret, " * 40)
    assert len(endless._line) <= UNFINISHED
