"""RFC 5118's torture messages at the parser: IPv6 addresses wherever SIP has a host."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from sip_reader import read_all, read_request

from fixtures.sip_torture.corpus import RFC_5118, Case, case
from harness.errors import SipRemoteError
from harness.protocols import sdp
from harness.protocols.sip.headers import Via
from harness.protocols.sip.message import Request


def request(name: str) -> Request:
    return read_request(case(name).data)


@pytest.mark.parametrize("torture", [each for each in RFC_5118 if each.valid], ids=str)
def test_a_good_message_is_read_and_written_back(torture: Case) -> None:
    message = read_all(torture.data)
    again = read_all(bytes(message))
    assert (again.start_line, again.fields, again.body) == (message.start_line, message.fields, message.body)


@pytest.mark.parametrize("torture", [each for each in RFC_5118 if not each.valid], ids=str)
def test_a_bad_message_is_refused_by_name(torture: Case) -> None:
    with pytest.raises(SipRemoteError):
        read_all(torture.data)


def test_a_reference_is_read_in_request_uri_via_and_contact() -> None:
    register = request("ipv6-good")
    assert (register.uri.host, register.uri.port, register.uri.user) == ("[2001:db8::10]", None, "")
    assert (register.via.host, register.via.port) == ("[2001:db8::9:1]", None)
    assert register.contact is not None
    assert (register.contact.display, register.contact.uri.host) == ("Caller", "[2001:db8::1]")


def test_a_port_is_what_follows_the_brackets_and_nothing_within_them() -> None:
    within, after = request("port-ambiguous").uri, request("port-unambiguous").uri
    assert (within.host, within.port) == ("[2001:db8::10:5070]", None)
    assert (after.host, after.port) == ("[2001:db8::10]", 5070)


@pytest.mark.parametrize("name", ["via-received-param-with-delim", "via-received-param-no-delim"])
def test_an_answer_goes_to_received_with_or_without_brackets(name: str) -> None:
    via = request(name).via
    assert via.host == "[2001:db8::9:1]"
    assert via.reply_address() == ("2001:db8::9:255", 5060)


def test_addresses_in_a_session_description_have_no_brackets() -> None:
    session = sdp.parse(request("ipv6-in-sdp").body)
    assert session.connection == "2001:db8::20"
    assert [(stream.kind, stream.port) for stream in session.media] == [("audio", 6000), ("video", 6024)]


def test_addresses_of_both_families_stand_in_one_message() -> None:
    vias = [Via.parse(value) for value in request("mult-ip-in-header").values("via")]
    assert [(via.host, via.port) for via in vias] == [
        ("[2001:db8::9:1]", 6050),
        ("192.0.2.1", None),
        ("[2001:db8::9:255]", None),
    ]
    assert vias[0].reply_address() == ("2001:db8::9:1", 6050)
    assert vias[2].reply_address() == ("192.0.2.200", 5060)


def test_each_stream_has_its_own_address() -> None:
    session = sdp.parse(request("mult-ip-in-sdp").body)
    assert session.connection == ""
    assert [stream.connection for stream in session.media] == ["192.0.2.1", "2001:db8::1"]


def test_mapped_addresses_are_read() -> None:
    invite = request("ipv4-mapped-ipv6")
    vias = [Via.parse(value) for value in invite.values("via")]
    assert [(via.host, via.port) for via in vias] == [("[::ffff:192.0.2.10]", 19823), ("[::ffff:192.0.2.2]", None)]
    assert invite.contact is not None
    assert (invite.contact.display, invite.contact.uri.host) == ("T. desk phone", "[::ffff:192.0.2.2]")
    assert sdp.parse(invite.body).connection == "::ffff:192.0.2.2"


def test_three_colons_before_an_embedded_ipv4_address_are_tolerated() -> None:
    odd, right = request("ipv6-bug-abnf-3-colons").uri, request("ipv6-correct-abnf-2-colons").uri
    assert odd.host.replace(":::", "::") == right.host == "[2001:db8::192.0.2.1]"
    assert IPv6Address(right.host.strip("[]")) == IPv6Address("2001:db8::c000:201")
