"""Identities, status, SDS and LIP: the reference examples, round trips, and nothing but the named errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PeiRemoteError, SdsError
from harness.protocols.tetra import lip, sds, status
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


_latin = st.text(st.characters(max_codepoint=255), max_size=100)
_stamps = st.builds(
    sds.Timestamp, st.integers(0, 15), st.integers(0, 31), st.integers(0, 31), st.integers(0, 63), st.integers(0, 3)
)


@given(
    st.one_of(
        st.builds(sds.SimpleText, _latin, st.integers(0, 127)),
        st.builds(
            sds.TextTransfer,
            _latin,
            st.integers(0, 255),
            st.sampled_from([sds.ReportRequest(n) for n in range(4)]),
            st.none() | _stamps,
            st.integers(0, 127),
            st.booleans(),
            st.booleans(),
            st.booleans(),
        ),
        st.builds(sds.DeliveryReport, st.integers(0, 255), st.integers(0, 255)),
        st.builds(sds.DeliveryAck, st.integers(0, 255), st.integers(0, 255)),
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
