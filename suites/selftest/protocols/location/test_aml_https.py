"""AML by HTTPS: public forms and a public signature, and forms that are wrong in every way a stranger's can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import AmlError
from harness.protocols.location.aml_https import MAX_BODY, AmlForm, authentic, build, parse
from harness.protocols.location.aml_sms import Aml, Method

# A form and a signed form (key "AML") that a public receiver is tested with.
PUBLIC = (
    b"v=1&device_number=%2B447477593102&location_latitude=55.85732&location_longitude=-4.26325"
    b"&location_time=1476189444435&location_accuracy=10.4&location_source=GPS&location_certainty=83"
    b"&location_altitude=0.0&location_floor=5&device_model=ABC+ABC+Detente+530&device_imei=354773072099116"
    b"&device_imsi=234159176307582&device_os=AOS&cell_carrier=&cell_home_mcc=234&cell_home_mnc=15"
    b"&cell_network_mcc=234&cell_network_mnc=15&cell_id=0213454321"
)
SIGNED = (
    b"v=1&device_number=%2B33611223344&location_latitude=0.85732&location_longitude=-4.26325"
    b"&location_time=1604912121000&location_accuracy=10.4&location_source=GPS&location_certainty=83"
    b"&hmac=f64c70eb238bb239e00e8ac8c023bf2b5d3c41dd"
)


def test_a_public_form_reads_as_its_values() -> None:
    form = parse(PUBLIC)
    assert (form.number, form.latitude, form.longitude, form.accuracy_m) == ("+447477593102", 55.85732, -4.26325, 10.4)
    assert (form.location_time_ms, form.confidence, form.method) == (1476189444435, 83, Method.GNSS)
    assert (form.floor, form.imei, form.imsi) == ("5", "354773072099116", "234159176307582")
    assert form.other["device_model"] == "ABC ABC Detente 530"
    assert form.findings == ()


def test_a_form_is_the_same_as_a_text() -> None:
    assert parse(PUBLIC).as_aml() == Aml(
        55.85732, -4.26325, 10.4, 1476189444, 83, Method.GNSS, "234159176307582", "354773072099116", "234", "15"
    )
    assert not parse(b"v=1&device_number=%2B447700900123").as_aml().has_fix


def test_a_public_signature_is_ours_too() -> None:
    assert authentic(SIGNED, b"AML")
    assert not authentic(SIGNED, b"other")
    assert not authentic(SIGNED.replace(b"0.85732", b"0.85733"), b"AML")
    assert not authentic(PUBLIC, b"AML")
    assert "hmac" not in parse(SIGNED).other


def test_what_is_signed_is_authentic_and_read() -> None:
    form = AmlForm(number="+447700900123", latitude=55.8, longitude=-4.2, method=Method.WIFI)
    body = build(form, key=b"k")
    assert authentic(body, b"k")
    assert parse(body) == form


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"v=1", "missing"),
        (b"location_latitude=north&location_longitude=1", "value"),
        (b"location_latitude=91&location_longitude=1", "value"),
        (b"location_latitude=nan&location_longitude=1", "value"),
        (b"location_latitude=1_0&location_longitude=1", "value"),
        (b"location_latitude=1&location_longitude=1&location_time=99999999999999999", "value"),
        (b"location_latitude=1&location_longitude=1&location_source=magic", "method"),
        (b"location_latitude=1&location_latitude=2&location_longitude=1", "duplicate"),
        (b"location_latitude=1&location_longitude=1&x=" + b"y" * 2000, "too_long"),
    ],
)
def test_a_field_that_can_not_be_read_is_left_out_and_told(body: bytes, name: str) -> None:
    assert {finding.name for finding in parse(body).findings} >= {name}


def test_later_handsets_confidence_is_a_share() -> None:
    assert parse(b"location_latitude=1&location_longitude=1&location_confidence=0.68").confidence == pytest.approx(68)


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff=1", b"a=%FF", b"a=1&" * 101, b"x" * (MAX_BODY + 1)])
def test_what_is_no_form_is_told(body: bytes) -> None:
    with pytest.raises(AmlError):
        parse(body)


@pytest.mark.parametrize("wrong", [AmlForm(latitude=91), AmlForm(call_time_ms=-1), AmlForm(other={"x": "y" * 2000})])
def test_what_can_not_be_held_is_not_written(wrong: AmlForm) -> None:
    with pytest.raises(AmlError):
        build(wrong)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
forms = st.builds(
    AmlForm,
    number=texts,
    source=st.sampled_from(["", "CALL", "SMS"]),
    call_time_ms=st.none() | st.integers(0, 10**13),
    location_time_ms=st.none() | st.integers(0, 10**13),
    latitude=st.floats(-90, 90).map(lambda value: round(value, 6)),
    longitude=st.floats(-180, 180).map(lambda value: round(value, 6)),
    accuracy_m=st.none() | st.integers(0, 10**6).map(float),
    confidence=st.none() | st.sampled_from([0.0, 25.0, 50.0, 100.0]),
    method=st.none() | st.sampled_from([Method.GNSS, Method.WIFI, Method.CELL]),
    floor=texts,
    other=st.dictionaries(st.sampled_from(["device_model", "cell_id"]), texts),
)


@given(forms)
def test_what_is_written_is_read(form: AmlForm) -> None:
    assert parse(build(form)) == form


@given(st.binary(max_size=300))
def test_whatever_the_octets_nothing_but_the_named_error_comes(octets: bytes) -> None:
    for each in (octets, PUBLIC + octets, b"location_latitude=" + octets):
        try:
            form = parse(each)
        except AmlError:
            continue
        form.as_aml()
        authentic(each, b"k")
