"""AML by text: public handsets' messages, the length that counts itself, and what is a finding rather than an error."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.errors import AmlError
from harness.protocols.location import gsm7
from harness.protocols.location.aml_sms import IMSI_DIGITS, MAX_READ, Aml, Method, build, parse
from harness.protocols.times import LATEST, from_compact, from_iso, to_compact, to_iso

# Messages that are public with the specification's examples; each says its own length.
PUBLIC = (
    'A"ML=1;lt=+55.74297;lg=-4.26880;rd=10;top=20130717175329;lc=95;pm=G;si=234302543446355;ei=356708041746734;'
    "mcc=234;mnc=30;ml=127",
    'A"ML=1;lt=+48.902963;lg=+2.516582;rd=1964;top=20220210134654;lc=95;pm=G;si=234302543446355;ei=357365093474415;'
    "mcc=208;mnc=01;ml=131",
    'A"ML=1;lt=48.82639;lg=-2.36619;rd=52;top=20191112112928;lc=68;pm=G;si=208201771948415;ei=353472104343540;'
    "mcc=208;mnc=20;ml=126",
)
# A data message as a public receiver's tests have it: seven bits a character.
PACKED = (
    "415193D98BEDD8F4DEECE6A2C962B7DA8E7DEEB56232990B86A3D9623B39B92783EDE86F784F068BD560B6D80C1683E568B81D7BDCB3E176"
    "F076EFB89BA77B39DCCD56A3C966B15D39DD9BD570B2590E56CBC168B21A4DB66B8FC7BD590CB66BBBC73D990DB66BB37B31D90C"
)

SHEET = Aml(
    latitude=55.74317,
    longitude=-4.26881,
    radius_m=50,
    time=from_compact("20130717141935"),
    confidence=90,
    method=Method.GNSS,
    imsi="234302543446355",
    imei="356708041746734",
    mcc="234",
    mnc="30",
)


def named(message: Aml) -> set[str]:
    """The names of a message's findings."""
    return {finding.name for finding in message.findings}


@pytest.mark.parametrize("text", PUBLIC)
def test_public_messages_say_the_length_that_we_compute(text: str) -> None:
    message = parse(text)
    assert "length" not in named(message)
    assert text.endswith(f"ml={len(text)}")


def test_a_public_message_is_written_letter_by_letter() -> None:
    assert build(parse(PUBLIC[0]), whole_imsi=True) == PUBLIC[0]


def test_a_public_message_reads_as_its_values() -> None:
    message = parse(PUBLIC[0])
    assert (message.latitude, message.longitude, message.radius_m) == (55.74297, -4.2688, 10)
    assert message.time == datetime.datetime(2013, 7, 17, 17, 53, 29, tzinfo=datetime.UTC).timestamp()
    assert (message.confidence, message.method, message.mcc, message.mnc) == (95, Method.GNSS, "234", "30")


def test_a_public_data_message_is_unpacked_and_packed_again() -> None:
    text = gsm7.unpack(bytes.fromhex(PACKED))
    assert text.startswith('A"ML=1;lt=37.42175;lg=-122.08461;rd=20;top=20150613010948;')
    assert gsm7.pack(text).hex().upper() == PACKED
    assert parse(text).latitude == 37.42175
    assert "length" not in named(parse(text))


def test_only_six_digits_of_an_imsi_are_told() -> None:
    text = build(SHEET)
    assert ";si=234302000000000;" in text
    assert "2543446355" not in text
    assert "whole_imsi" not in named(parse(text))
    assert "whole_imsi" in named(parse(build(SHEET, whole_imsi=True)))


def test_the_text_is_as_the_sheet_has_it() -> None:
    text = build(SHEET)
    assert text.startswith('A"ML=1;lt=+55.74317;lg=-4.26881;rd=50;top=20130717141935;lc=90;pm=G;si=')
    assert text.endswith(f";mcc=234;mnc=30;ml={len(text)}")


def test_no_fix_is_zeros_and_reads_as_no_position() -> None:
    text = build(Aml(time=SHEET.time, imei=SHEET.imei))
    assert 'A"ML=1;lt=+00.00000;lg=+000.00000;rd=N;top=20130717141935;lc=0;pm=N;' in text
    assert parse(text) == Aml(time=SHEET.time, imei=SHEET.imei)
    assert not parse(text).has_fix


def test_a_position_at_zero_degrees_is_a_position_when_it_has_a_radius_and_a_method() -> None:
    there = Aml(0, 0, 20, method=Method.GNSS, confidence=68)
    assert parse(build(there)) == there


@pytest.mark.parametrize(("told", "said"), [("ml=127", "ml=126"), ("ml=127", "ml=x"), ("ml=127", "ml=")])
def test_a_wrong_length_is_a_finding_and_the_position_is_read(told: str, said: str) -> None:
    message = parse(PUBLIC[0].replace(told, said))
    assert "length" in named(message)
    assert message.latitude == 55.74297


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (PUBLIC[0].replace("lt=+", "lt="), {"length", "sign", "whole_imsi"}),
        (PUBLIC[0].replace(";pm=G", ";pm=Q"), {"method", "whole_imsi"}),
        (PUBLIC[0].replace(";pm=G", ";pm=N"), {"method", "whole_imsi"}),
        (PUBLIC[0].replace("20130717", "20131332"), {"time", "whole_imsi"}),
        (PUBLIC[0].replace("lc=95", "lc=99999"), {"confidence", "length", "whole_imsi"}),
        (PUBLIC[0].replace("ei=356708041746734", "ei=x"), {"identity", "length", "whole_imsi"}),
        (PUBLIC[0].replace("mnc=30", "mnc=3"), {"identity", "length", "whole_imsi"}),
        (PUBLIC[0].replace("lt=+55.74297;lg=-4.26880", "lg=-4.26880;lt=+55.74297"), {"order", "whole_imsi"}),
        (PUBLIC[0].replace("rd=10", "rd=10;rd=20"), {"duplicate", "length", "whole_imsi"}),
        (PUBLIC[0].replace("rd=10", "zz=10"), {"unknown", "missing", "whole_imsi"}),
        (PUBLIC[0].replace("rd=10", "rd=10;noise"), {"no_pair", "length", "whole_imsi"}),
        ('A"ML=1;lt=+1;lg=+1', {"missing"}),
        (PUBLIC[0] + ";" + "x" * 40, {"no_pair", "too_long", "length", "whole_imsi"}),
        (PUBLIC[0] + "ж", {"alphabet", "length", "whole_imsi"}),
    ],
)
def test_oddities_are_named_and_the_rest_is_read(text: str, names: set[str]) -> None:
    message = parse(text)
    assert named(message) == names
    assert message.has_fix


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "not AML: it begins with 'hello'"),
        ('A"ML', "not AML"),
        ('A"ML=2;lo=1', "AML text version '2'; version 1 is read"),
        ('A"ML=1', "there is no lt: no position to read"),
        ('A"ML=1;lt=north;lg=+1', "lt is 'north'"),
        ('A"ML=1;lt=+91;lg=+1', "lt is +91; 90 degrees is the most"),
        ('A"ML=1;lt=+1;lg=+181', "lg is +181; 180 degrees is the most"),
        ('A"ML=1;lt=+1;lg=+1;rd=far', "rd is 'far'; it is metres, or N"),
        ('A"ML=1;' + ";" * 100, "pairs; 64 are read at most"),
        ("x" * (MAX_READ + 1), "1025 characters; 1024 are read at most"),
    ],
)
def test_what_has_no_position_is_told(text: str, told: str) -> None:
    with pytest.raises(AmlError) as error:
        parse(text)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"latitude": 91.0},
        {"latitude": None},
        {"radius_m": -1.0},
        {"radius_m": 1e9},
        {"confidence": 101.0},
        {"method": None},
        {"imsi": "x"},
        {"imei": "1" * 17},
        {"time": -1},
    ],
)
def test_what_the_format_can_not_hold_is_not_written(wrong: dict[str, object]) -> None:
    fields = {name: getattr(SHEET, name) for name in Aml.__slots__} | wrong
    with pytest.raises(AmlError):
        build(Aml(**fields))


digits = st.text("0123456789", max_size=16)
messages = st.builds(
    Aml,
    latitude=st.floats(-90, 90).map(lambda value: round(value, 5) + 0.0),
    longitude=st.floats(-180, 180).map(lambda value: round(value, 5) + 0.0),
    radius_m=st.none() | st.integers(0, 99_999_999).map(float),
    time=st.none() | st.integers(0, LATEST),
    confidence=st.integers(0, 100).map(float),
    method=st.sampled_from([Method.GNSS, Method.WIFI, Method.CELL]),
    imsi=st.text("0123456789", min_size=IMSI_DIGITS, max_size=IMSI_DIGITS),
    imei=digits,
    mcc=st.text("0123456789", min_size=3, max_size=3),
    mnc=st.text("0123456789", min_size=2, max_size=3),
)


@given(messages)
def test_what_is_written_is_read_and_its_length_is_right(message: Aml) -> None:
    text = build(message, whole_imsi=True)
    read = parse(text)
    assert int(text.rpartition("=")[2]) == len(text) == gsm7.septets(text) <= gsm7.SMS_SEPTETS
    assert "length" not in named(read)
    at_zero = message.latitude == message.longitude == 0 and message.radius_m is None
    assert read.has_fix is not at_zero  # zeros without a radius are how no fix is written
    if not at_zero:
        assert (read.latitude, read.longitude, read.radius_m) == (message.latitude, message.longitude, message.radius_m)
    assert (read.time, read.confidence, read.imsi, read.mcc) == (
        message.time,
        message.confidence,
        message.imsi,
        message.mcc,
    )


@given(st.text(max_size=300))
@example("ml=9999999999999999999999999")
def test_whatever_the_text_nothing_but_the_named_error_comes(text: str) -> None:
    for each in (text, 'A"ML=1;lt=+1;lg=+1;' + text, PUBLIC[0] + text):
        try:
            parse(each)
        except AmlError:
            continue


@given(st.binary(max_size=200))
def test_any_octets_unpack_to_some_text(octets: bytes) -> None:
    gsm7.unpack(octets)


@given(st.text(alphabet="".join(chr(n) for n in range(32, 127) if chr(n) != "`") + "£€ñ", max_size=160))
def test_seven_bit_text_comes_back_but_for_filling(text: str) -> None:
    assert gsm7.unpack(gsm7.pack(text)).removesuffix("@") == text.removesuffix("@")
    assert gsm7.septets(text) == sum(2 if c in "^{}\\[~]|€" else 1 for c in text)


def test_a_character_beyond_the_alphabet_has_no_length() -> None:
    assert gsm7.septets("ж") is None
    with pytest.raises(ValueError, match="not of the GSM 7-bit"):
        gsm7.pack("ж")


@given(st.integers(0, LATEST))
def test_times_are_as_the_calendar_has_them(seconds: int) -> None:
    calendar = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    assert to_iso(seconds) == calendar.isoformat().replace("+00:00", "Z")
    assert from_compact(to_compact(seconds)) == from_iso(to_iso(seconds)) == seconds


@given(st.integers(86_400, LATEST - 86_400), st.integers(-14 * 60, 14 * 60))
def test_a_zone_is_taken_off(seconds: int, minutes: int) -> None:
    zone = datetime.timezone(datetime.timedelta(minutes=minutes))
    there = datetime.datetime.fromtimestamp(seconds, zone)
    assert from_iso(there.isoformat()) == there.timestamp()


@pytest.mark.parametrize("text", ["2026-02-29T00:00:00Z", "2026-01-01", "1969-12-31T23:59:59Z", "2026-01-01T24:00:00Z"])
def test_no_such_time_is_told(text: str) -> None:
    with pytest.raises(ValueError):
        from_iso(text)
