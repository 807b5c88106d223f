"""Identities, status, SDS and LIP: the reference examples, round trips, and nothing but the named errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PeiRemoteError, SdsError
from harness.protocols.tetra import delivery, lip, sds, status, text_coding
from harness.protocols.tetra.concatenation import MAX_UNDER_WAY, PART_BYTES, Assembler, split
from harness.protocols.tetra.identity import Tsi, parse_ssi, parse_tsi


def test_identities_of_the_reference_sheet() -> None:
    group = parse_tsi("09011638300000001")
    assert (group.mcc, group.mnc, group.ssi, group.mni) == (901, 16383, 1, "90116383")
    assert parse_tsi("901163800000001") == Tsi(901, 1638, 1)
    assert parse_tsi("9011638300000001") == Tsi(901, 16383, 1)
    assert parse_tsi("0901163800000001") == Tsi(901, 1638, 1)
    assert parse_ssi("09011638304001234") == parse_ssi("4001234") == 4001234


@given(st.integers(0, 999), st.integers(0, 16383), st.integers(0, (1 << 24) - 1))
def test_identities_round_trip(mcc: int, mnc: int, ssi: int) -> None:
    assert parse_tsi(Tsi(mcc, mnc, ssi).digits) == Tsi(mcc, mnc, ssi)


@given(st.text(max_size=20))
def test_identities_raise_only_the_named_error(text: str) -> None:
    for read in (parse_tsi, parse_ssi):
        try:
            read(text)
        except PeiRemoteError:
            continue


@pytest.mark.parametrize(
    ("digits", "longitude", "latitude"),
    [("0A0088BD4247F737FFE810", 12.018099, 51.325099), ("0A00893E12472C51026810", 12.062323, 51.255448)],
)
def test_lip_examples_of_the_reference_sheet(digits: str, longitude: float, latitude: float) -> None:
    report = lip.decode(bytes.fromhex(digits))
    assert report.longitude == pytest.approx(longitude, abs=1e-6)
    assert report.latitude == pytest.approx(latitude, abs=1e-6)
    assert report.encode().hex().upper() == digits


@given(
    st.builds(
        lip.ShortLocation,
        longitude=st.floats(-180, 179.99),
        latitude=st.floats(-90, 89.99),
        position_error=st.integers(0, 7),
        velocity=st.integers(0, 127),
        direction=st.integers(0, 15),
        elapsed=st.integers(0, 3),
        additional_type=st.integers(0, 1),
        additional=st.integers(0, 255),
    )
)
def test_lip_round_trips_within_half_a_step(report: lip.ShortLocation) -> None:
    again = lip.decode(report.encode())
    assert again.longitude == pytest.approx(report.longitude, abs=360 / 2**25)
    assert again.latitude == pytest.approx(report.latitude, abs=180 / 2**24)
    assert lip.decode(again.encode()) == again


def test_the_place_of_a_long_report_is_read() -> None:
    # A public example; its 12 octets after the protocol id are used up to the last bit by this reading.
    place = lip.decode(bytes.fromhex("0A4E73DDA841F55809493CC081"))
    assert (round(place.longitude, 4), round(place.latitude, 4)) == (11.0159, 52.2342)
    assert (place.fix_age_s, place.speed_kmh, place.error_metres, place.reason) == (None, None, None, None)


@pytest.mark.parametrize(
    ("digits", "told"),
    [
        ("0A4E73DDA841F558", "cut short"),
        ("0A4F73DDA841F55809493CC081", "time of kind 3"),
        ("0A4C0" + "0" * 21, "without a place: shape 0"),
        ("0A5" + "0" * 21, "type 1"),
    ],
)
def test_a_long_report_that_tells_no_place_is_refused_by_name(digits: str, told: str) -> None:
    with pytest.raises(SdsError, match=told):
        lip.decode(bytes.fromhex(digits))


@pytest.mark.parametrize(
    "report",
    [
        lip.ShortLocation(180, 0),
        lip.ShortLocation(0, 90),
        lip.ShortLocation(float("nan"), 0),
        lip.ShortLocation(0, 0, 8),
        lip.ShortLocation(0, 0, velocity=-1),
    ],
)
def test_lip_out_of_range_is_refused(report: lip.ShortLocation) -> None:
    with pytest.raises(SdsError):
        report.encode()


def test_lip_speed_is_linear_then_exponential() -> None:
    assert lip.ShortLocation(0, 0, velocity=28).speed_kmh == 28
    assert lip.ShortLocation(0, 0, velocity=29).speed_kmh == pytest.approx(29.06, abs=0.01)
    assert lip.ShortLocation(0, 0).speed_kmh is None


def test_status_kinds_and_short_reports() -> None:
    assert [status.kind_of(value).name for value in (0, 5, 31743, 0x7C00, 0x7FFF, 32768, 65535)] == [
        "EMERGENCY",
        "RESERVED",
        "RESERVED",
        "SHORT_REPORT",
        "SHORT_REPORT",
        "USER",
        "USER",
    ]
    assert status.parse_short_report(0x7E07) == status.ShortReport(status.ShortReportType.RECEIVED, 7)
    for bad in (-1, 65536):
        with pytest.raises(SdsError):
            status.encode(bad)


@given(st.integers(0x7C00, 0x7FFF))
def test_short_reports_round_trip(value: int) -> None:
    assert status.parse_short_report(value).value() == value
    assert status.decode(status.encode(value)) == value


def test_report_of_the_reference_sheet() -> None:
    assert sds.encode(sds.DeliveryReport(0, 0x2A)).hex() == "8210002a"
    assert sds.decode(bytes.fromhex("8210002a")) == sds.DeliveryReport(0, 0x2A)


def test_a_transfer_says_which_reports_it_wants() -> None:
    payload = sds.encode(sds.TextTransfer("on scene", 7, sds.ReportRequest.RECEIVED))
    assert payload == b"\x82\x04\x07\x01on scene"
    assert sds.requested_report(payload) == (7, sds.ReportRequest.RECEIVED)
    assert sds.requested_report(sds.encode(sds.SimpleText("x"))) is None


_bytes = st.integers(0, 255)
_transport = st.integers(128, 255)
_codings = st.sampled_from([1, text_coding.UTF_16_BE, *range(27, 128)])
_reports = st.sampled_from([sds.ReportRequest(n) for n in range(4)])
_numbers = st.tuples(st.integers(1, 255), st.integers(1, 255)).map(sorted)
_stores = st.builds(sds.StoreForward, st.integers(0, 31)) | st.builds(
    sds.StoreForward, st.integers(0, 31), st.just(1), st.binary(min_size=3, max_size=3)
)
_latin = st.text(st.characters(max_codepoint=255), max_size=90)
_stamps = st.builds(
    sds.Timestamp, st.integers(0, 15), st.integers(0, 31), st.integers(0, 31), st.integers(0, 63), st.integers(0, 3)
)


@given(
    st.one_of(
        st.builds(sds.SimpleText, _latin, _codings, st.booleans()),
        st.builds(
            sds.TextTransfer,
            _latin,
            st.integers(0, 255),
            st.sampled_from([sds.ReportRequest(n) for n in range(4)]),
            st.none() | _stamps,
            _codings,
            st.booleans(),
            st.booleans(),
            st.none() | _stores,
        ),
        st.builds(sds.DeliveryReport, _bytes, _bytes, _transport, st.booleans()),
        st.builds(sds.DeliveryAck, _bytes, _bytes, _transport),
        _numbers.flatmap(
            lambda part: st.builds(
                sds.TextPart,
                _latin,
                _bytes,
                st.just(part[1]),
                st.just(part[0]),
                _bytes,
                st.booleans(),
                st.lists(st.tuples(st.integers(9, 255), st.binary(max_size=8)), max_size=3).map(tuple),
                _reports,
                st.none() | _stamps,
                _codings,
            )
        ),
        _numbers.flatmap(
            lambda part: (
                st.builds(
                    sds.MessagePart,
                    st.integers(0, 15),
                    st.just(part[1]),
                    st.just(part[0]),
                    st.binary(max_size=100),
                    st.none(),
                    st.just(sds.ReportRequest.NONE),
                    st.booleans(),
                )
                | st.builds(
                    sds.MessagePart,
                    st.integers(0, 4095),
                    st.just(part[1]),
                    st.just(part[0]),
                    st.binary(max_size=100),
                    _bytes,
                    _reports,
                    st.just(True),
                )
            )
        ),
    )
)
def test_sds_round_trips(message: sds.Sds) -> None:
    assert sds.decode(sds.encode(message)) == message


@given(st.binary(max_size=300))
def test_payloads_raise_only_the_named_error(payload: bytes) -> None:
    for read in (sds.decode, lip.decode, status.decode):
        try:
            read(payload)
        except SdsError:
            continue
    sds.requested_report(payload)


def test_text_that_the_coding_lacks_and_text_too_long_are_refused() -> None:
    for bad in (sds.SimpleText("≥"), sds.SimpleText("x" * 300), sds.TextTransfer("x", 256)):
        with pytest.raises(SdsError):
            sds.encode(bad)


@pytest.mark.parametrize(
    ("digits", "wanted"),
    [
        ("0201 486F6C64", sds.SimpleText("Hold")),
        ("0901 486F6C64", sds.SimpleText("Hold", immediate=True)),
        ("82000701 486F6C64", sds.TextTransfer("Hold", 7)),
        ("89040701 486F6C64", sds.TextTransfer("Hold", 7, sds.ReportRequest.RECEIVED, immediate=True)),
        (
            "820E9C81445A8F 486F6C64",
            sds.TextTransfer("Hold", 0x9C, sds.ReportRequest(3), sds.Timestamp(4, 11, 10, 15, 1), short_form=True),
        ),
        (
            "82019C5101020301 486F6C64",
            sds.TextTransfer("Hold", 0x9C, store=sds.StoreForward(10, 1, b"\x01\x02\x03")),
        ),
        ("8200071A 00480069", sds.TextTransfer("Hi", 7, coding=text_coding.UTF_16_BE)),
        ("82100007", sds.DeliveryReport(0, 7)),
        ("82180207", sds.DeliveryReport(2, 7, acknowledge=True)),
        ("8A100007", sds.DeliveryReport(0, 7, 0x8A)),
        ("C3100007", sds.DeliveryReport(0, 7, 0xC3)),
        ("82200107", sds.DeliveryAck(1, 7)),
        ("8A00C9 01 050003C90201 486F", sds.TextPart("Ho", 0xC9, 2, 1, 0xC9)),
        ("8A00CA 01 06080434120202 6C64", sds.TextPart("ld", 0xCA, 2, 2, 0x1234, wide=True)),
        ("8A00C9 01 08 0003C90201 7F0155 486F", sds.TextPart("Ho", 0xC9, 2, 1, 0xC9, elements=((0x7F, b"\x55"),))),
        ("0C 05 0201 8200", sds.MessagePart(5, 2, 1, b"\x82\x00")),
        ("8C0409 1ABC 0202 FF", sds.MessagePart(0xABC, 2, 2, b"\xff", 9, sds.ReportRequest.RECEIVED, wide=True)),
        ("C3000701FF", sds.RawSds(0xC3, bytes.fromhex("C3000701FF"))),
    ],
)
def test_payloads_written_by_hand_are_read_and_written_as_meant(digits: str, wanted: sds.Sds) -> None:
    payload = bytes.fromhex(digits.replace(" ", ""))
    assert sds.decode(payload) == wanted
    assert sds.encode(wanted) == payload


@pytest.mark.parametrize(
    "digits",
    [
        "8A00C9",
        "8A00C901",
        "8A00C90105",
        "8A00C901050004C90201",
        "8A00C901050003C90203",
        "8A00C901050003C90200",
        "0C",
        "0C0502",
        "0C050203",
        "8C0009",
        "0C250201",
        "82019C",
        "82019C51",
        "82019C3B010203",
        "82FF0000",
    ],
)
def test_a_header_cut_short_or_impossible_is_the_named_error(digits: str) -> None:
    with pytest.raises(SdsError):
        sds.decode(bytes.fromhex(digits))


@given(st.text(st.characters(max_codepoint=255), max_size=2000), st.randoms(), st.integers(0, 255))
def test_a_long_text_is_whole_again_in_whatever_order_its_parts_come(text: str, rng: object, reference: int) -> None:
    parts = split(text, reference)
    assert all(len(sds.encode(part)) <= 255 for part in parts)
    assert {part.reference for part in parts} == {(reference + at) % 256 for at in range(len(parts))}
    shuffled = [*parts, parts[0]] if len(parts) > 1 else list(parts)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assembler = Assembler()
    found = []
    for part in shuffled:
        again = sds.decode(sds.encode(part))
        assert again == part
        found.append(assembler.take("4001234", again))
    assert [whole for whole in found if whole is not None] == [text]
    assert found[-1] == text or shuffled[-1] in shuffled[:-1]


def test_a_wide_character_is_not_cut_in_two() -> None:
    parts = split("å" * (PART_BYTES + 1), 1, coding=text_coding.UTF_16_BE)
    assert [len(part.text) for part in parts] == [122, 122, 2]


def test_parts_of_two_senders_do_not_mix_and_those_that_never_end_are_bounded() -> None:
    assembler = Assembler()
    first, second = split("x" * 300, 7)
    assert assembler.take("4001234", first) is None
    assert assembler.take("4001235", second) is None
    assert assembler.take("4001235", first) == "x" * 300
    for joint in range(MAX_UNDER_WAY + 3):
        assembler.take("4001236", sds.TextPart("y", 0, 2, 1, joint))
    assert (len(assembler), assembler.pushed_out) == (MAX_UNDER_WAY, 4)
    assert assembler.take("4001234", second) is None, "pushed out: it begins anew"
    with pytest.raises(SdsError, match="parts of 2"):
        assembler.take("4001236", sds.TextPart("y", 0, 3, 2, MAX_UNDER_WAY + 2))


def test_a_delivery_status_is_told_with_its_meaning() -> None:
    assert delivery.told(0) == "0 (received)"
    assert delivery.told(0x4B) == "75 (destination not registered)"
    assert delivery.told(0x3F) == "63 (temporary error, reserved)"
    assert delivery.outcome_of(0xFF) is delivery.Outcome.RESERVED


def test_texts_are_written_in_the_coding_they_name() -> None:
    assert sds.encode(sds.SimpleText("ŵ", 12)) == b"\x02\x0c\xf0"
    assert (
        text_coding.decode(text_coding.encode("Hold 7", text_coding.PACKED_7_BIT), text_coding.PACKED_7_BIT) == "Hold 7"
    )
    for text, coding in (("ŵ", 1), ("ŵ", text_coding.PACKED_7_BIT), ("x", 128)):
        with pytest.raises(SdsError):
            text_coding.encode(text, coding)
    assert (text_coding.is_known(25), text_coding.is_known(27)) == (True, False)
