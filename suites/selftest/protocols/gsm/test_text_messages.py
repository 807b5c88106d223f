"""Text messages to the octet: published PDUs, every field there and back, and nothing but the named error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import SmsError
from harness.protocols.gsm import pdu as pdus
from harness.protocols.gsm.address import Address, Ton
from harness.protocols.gsm.coding import Alphabet, alphabet_of, class_of
from harness.protocols.gsm.parts import MAX_JOINING, Assembler, split
from harness.protocols.gsm.pdu import Deliver, StatusReport, Submit
from harness.protocols.gsm.stamps import Enhanced, Stamp, relative_octet, relative_seconds
from harness.protocols.gsm.user_data import Element, Part, UserData
from harness.protocols.location import gsm7

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast a machine is, is for the benchmarks."""

GSM = st.text(st.sampled_from("".join(gsm7._BASIC).replace("\x1b", "") + "\f^{}\\[~]|€"), max_size=75)
ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
DIGITS = st.text("0123456789*#abc", min_size=1, max_size=20)
ADDRESSES = st.one_of(
    st.builds(Address, DIGITS, st.sampled_from([0, 1, 2, 3, 4, 6]), st.integers(0, 15)),
    st.builds(Address, st.text("abcXYZ019 @-", min_size=1, max_size=11), st.just(Ton.NAME), st.just(0)),
)
STAMPS = st.builds(Stamp, st.integers(700_000_000, 3_700_000_000), st.integers(-79, 79))
ELEMENTS = st.lists(st.builds(Element, st.integers(0x20, 0x6F), st.binary(max_size=8)), max_size=2).map(tuple)
CONTENTS = st.one_of(
    st.builds(UserData, GSM, st.just(b""), st.sampled_from([0x00, 0x10, 0xF1]), ELEMENTS),
    st.builds(UserData, ANY, st.just(b""), st.sampled_from([0x08, 0x18]), ELEMENTS),
    st.builds(UserData, st.just(""), st.binary(max_size=100), st.sampled_from([0x04, 0xF5]), ELEMENTS),
)
VALIDITIES = st.one_of(st.none(), st.integers(0, 255), STAMPS, st.builds(Enhanced, st.binary(min_size=7, max_size=7)))
OCTET = st.integers(0, 255)


def test_a_published_deliver_is_read() -> None:
    # The example of public write-ups of the PDU format (dreamfabric.com/sms), also read so by gammu.
    centre, tpdu = pdus.split_centre(
        bytes.fromhex("07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37")
    )
    message = pdus.read_to_handset(tpdu)
    assert isinstance(message, Deliver)
    assert str(centre) == "+27381000015"
    assert (message.sender.digits, message.content.text) == ("27838890001", "hellohello")
    assert message.stamp.at_text() == "99/03/29,15:16:59+08"
    assert message.write() == tpdu


def test_a_published_submit_is_read_and_written() -> None:
    centre, tpdu = pdus.split_centre(bytes.fromhex("0011000B916407281553F80000AA0AE8329BFD4697D9EC37"))
    assert centre is None
    submit = pdus.read_to_centre(tpdu)
    assert (str(submit.to), submit.content.text, submit.validity) == ("+46708251358", "hellohello", 170)
    assert relative_seconds(170) == 4 * 86_400
    assert submit.write() == tpdu


def test_a_report_that_kannel_read_is_written() -> None:
    taken, done = (Stamp.from_at_text(f"26/11/25,17:01:{second}+00") for second in ("57", "57"))
    report = StatusReport(0, Address.of("+447700900300"), taken, done, 0)
    assert report.write().hex() == "06000c91447700" + "093000" + "62115271107500" * 2 + "00"


@CALM
@given(ADDRESSES, CONTENTS, OCTET, OCTET, VALIDITIES, st.booleans(), st.booleans(), st.booleans())
def test_a_submit_comes_back_as_it_was(to, content, reference, protocol, validity, report, reject, reply) -> None:  # type: ignore[no-untyped-def]
    submit = Submit(to, content, reference, protocol, validity, report, reject, reply)
    assert pdus.read_to_centre(submit.write()) == submit


@CALM
@given(ADDRESSES, CONTENTS, STAMPS, OCTET, st.booleans(), st.booleans(), st.booleans())
def test_a_deliver_comes_back_as_it_was(sender, content, stamp, protocol, more, report, reply) -> None:  # type: ignore[no-untyped-def]
    deliver = Deliver(sender, content, stamp, protocol, more, report, reply)
    assert pdus.read_to_handset(deliver.write()) == deliver


@CALM
@given(OCTET, ADDRESSES, STAMPS, STAMPS, OCTET, st.booleans(), st.none() | CONTENTS)
def test_a_report_comes_back_as_it_was(reference, recipient, taken, done, status, more, content) -> None:  # type: ignore[no-untyped-def]
    report = StatusReport(reference, recipient, taken, done, status, more, content)
    assert pdus.read_to_handset(report.write()) == report


@CALM
@given(st.binary(max_size=200))
def test_no_octets_raise_anything_but_the_named_error(octets: bytes) -> None:
    for read in (pdus.split_centre, pdus.read_to_centre, pdus.read_to_handset):
        try:
            read(octets)
        except SmsError as error:
            assert str(error)


@CALM
@given(st.binary(min_size=1, max_size=30), st.data())
def test_a_whole_message_with_an_octet_changed_or_cut_is_read_or_refused(extra: bytes, data: st.DataObject) -> None:
    octets = bytearray(Deliver(Address.of("+447700900123"), UserData("hello"), Stamp(1_700_000_000)).write() + extra)
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(OCTET)
    for length in range(len(octets)):
        try:
            pdus.read_to_handset(bytes(octets[:length]))
        except SmsError:
            continue


@CALM
@given(st.one_of(ANY, GSM).map(lambda text: text * 12), st.booleans(), st.randoms(use_true_random=False))
def test_a_long_text_is_joined_whatever_the_order_of_its_parts(text: str, wide: bool, random) -> None:  # type: ignore[no-untyped-def]
    parts = split(text, 200, wide=wide)
    for content in parts:
        content.write()
    random.shuffle(parts)
    assembler = Assembler()
    *early, last = [assembler.take("+447700900123", content) for content in [parts[0], *parts]]
    assert early.count(None) == len(parts) if len(parts) > 1 else early == [parts[0]]
    assert last is not None
    assert (last.text, last.part) == (text, None)


@pytest.mark.parametrize(
    ("length", "character", "parts"),
    [
        (160, "a", 1),
        (161, "a", 2),
        (306, "a", 2),
        (307, "a", 3),
        (80, "€", 1),
        (81, "€", 2),
        (70, "ж", 1),
        (71, "ж", 2),
    ],
)
def test_a_text_has_as_many_parts_as_it_needs(length: int, character: str, parts: int) -> None:
    assert len(split(character * length, 1)) == parts


def test_neither_an_escaped_character_nor_a_surrogate_pair_is_parted() -> None:
    for text in ("a" * 152 + "€" * 10, "ж" * 66 + "🚓" * 10):
        parts = split(text, 1)
        assert len(parts) == 2
        assert "".join(part.text for part in parts) == text


def test_joining_is_bounded() -> None:
    assembler = Assembler()
    for reference in range(256):
        for total in (2, 3):
            content = UserData("x", elements=(Part(reference, total, 1, wide=False).element(),))
            assert assembler.take("+447700900123", content) is None
    assert len(assembler._joining) <= MAX_JOINING + 1


@CALM
@given(st.integers(0, 255))
def test_every_relative_validity_is_found_again(octet: int) -> None:
    assert relative_seconds(relative_octet(relative_seconds(octet))) == relative_seconds(octet)


@CALM
@given(st.integers(0, 255))
def test_every_coding_scheme_has_an_alphabet(dcs: int) -> None:
    assert alphabet_of(dcs) in Alphabet
    assert class_of(dcs) in (None, 0, 1, 2, 3)


@CALM
@given(STAMPS)
def test_a_stamp_is_told_in_its_zone_and_read_again(stamp: Stamp) -> None:
    assert Stamp.from_at_text(stamp.at_text()) == Stamp.read(stamp.write()) == stamp


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "cut short"),
        ("03", "message type 3"),
        ("04", "cut short in an address"),
        ("0415" + "91" + "00" * 30, "21 half octets"),
        ("040391f1ff" + "00" * 20, "filling half octet"),
        ("0402911200" + "00" + "99" * 7 + "00", "no such time"),
        ("0402911200" + "00" + "a0" * 7 + "00", "decimal digits"),
        ("0402911200" + "04" + "99309251619580" + "05" + "00", "its length tells 5"),
        ("4402911200" + "04" + "99309251619580" + "02" + "0500", "header cut short"),
    ],
)
def test_what_is_wrong_is_named(octets: str, why: str) -> None:
    with pytest.raises(SmsError, match=why):
        pdus.read_to_handset(bytes.fromhex(octets))
