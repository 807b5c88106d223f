"""Session-ID (RFC 7989), P-RTP-Stat (Cisco), Resource-Priority and Priority (RFC 4412, 7135, 7090)."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import priority, session_id
from harness.protocols.sip.message import Message, Request
from harness.protocols.sip.priority import NAMESPACES, Priority, ResourcePriority, priority_of, resource_priorities_of
from harness.protocols.sip.rtp_stat import MAX_COUNT, RtpStat, rtp_stat_of
from harness.protocols.sip.session_id import NIL, SessionId, session_id_of

ALICE, BOB = "ab30317f1a784dc48ff824d0d3715d86", "47755a9de7794ba387653f2099600ef2"


def test_each_end_of_a_session_writes_its_own_name_first() -> None:
    """The values of RFC 7989's examples."""
    offered = SessionId.parse(f"{ALICE};remote={NIL}")
    assert (offered.local, offered.remote) == (ALICE, NIL)
    answered = offered.answered_by(BOB)
    assert str(answered) == f"{BOB};remote={ALICE}"
    assert answered.answered_by(ALICE) == SessionId(ALICE, BOB)


def test_an_end_from_before_rfc_7989_is_answered_in_its_own_way() -> None:
    old = session_id_of(Message([("session-id", ALICE.upper())]))
    assert old is not None
    assert (old.local, old.remote, old.has_remote) == (ALICE, NIL, False)
    assert str(old.answered_by(ALICE)) == ALICE
    assert session_id_of(Message([])) is None


@pytest.mark.parametrize(
    "text", ["", ALICE[1:], f"{ALICE}0", "g" * 32, f"{ALICE};remote=", f"{ALICE};remote={BOB}0", f"{uuid.UUID(ALICE)}"]
)
def test_what_is_no_session_id_is_told(text: str) -> None:
    with pytest.raises(SipRemoteError, match="32 hexadecimal digits"):
        SessionId.parse(text)


@given(st.binary(min_size=16, max_size=16), st.text(max_size=40))
def test_a_name_is_a_uuid_of_the_version_that_it_should_be(octets: bytes, name: str) -> None:
    assert uuid.UUID(session_id.of_random(octets)).version == 4
    named = session_id.of_name(uuid.NAMESPACE_URL, name)
    assert uuid.UUID(named) == uuid.uuid5(uuid.NAMESPACE_URL, name)
    assert SessionId.parse(str(SessionId(session_id.of_random(octets), named))) == SessionId(
        session_id.of_random(octets), named
    )


def test_a_uuid_is_made_of_sixteen_octets() -> None:
    with pytest.raises(SipLocalError, match="not 15"):
        session_id.of_random(bytes(15))


def test_cisco_s_own_figures_are_read() -> None:
    """The BYE of Cisco's Call Reporting and Billing Administration Guide, CMRs for SIP Trunks."""
    text = "PS=3775,OS=649300,PR=3775,OR=604000,PL=0,JI=0,LA=4,DU=98"
    stat = rtp_stat_of(Message([("P-RTP-Stat", text)]))
    assert stat == RtpStat(3775, 649300, 3775, 604000, 0, 0, 4, 98)
    assert stat.value() == text
    assert rtp_stat_of(Message([])) is None


def test_figures_that_are_not_told_are_none_and_unknown_ones_are_left() -> None:
    stat = RtpStat.parse("PS=1, xx=2, pl = 3 ,JI=")
    assert stat == RtpStat(packets_sent=1, packets_lost=3)
    assert RtpStat.parse("PS=,PR=").is_empty
    with pytest.raises(SipLocalError, match="tells nothing"):
        RtpStat().value()
    with pytest.raises(SipLocalError, match="PL=-1"):
        RtpStat(packets_lost=-1).value()


@pytest.mark.parametrize("text", ["", "PS", "PS=1;OS=2", "PS=x", "PS=-1", f"PS={MAX_COUNT + 1}", "PS=1,PS=2", "PS=1,"])
def test_what_are_no_figures_is_told(text: str) -> None:
    with pytest.raises(SipRemoteError):
        RtpStat.parse(text)


counts = st.none() | st.integers(0, MAX_COUNT)


@given(st.builds(RtpStat, *[counts] * 8))
def test_figures_come_back_as_they_went(stat: RtpStat) -> None:
    if not stat.is_empty:
        assert RtpStat.parse(stat.value()) == stat


def request(*headers: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:999@control.example", list(headers))


def test_the_rfc_s_resource_priorities_are_read() -> None:
    """The forms of RFC 4412 section 3.1, and RFC 7135's namespace."""
    message = request(("Resource-Priority", "dsn.flash, wps.3"), ("Resource-Priority", "ESNET.3"))
    assert list(map(str, resource_priorities_of(message))) == ["dsn.flash", "wps.3", "esnet.3"]
    assert [each.rank for each in resource_priorities_of(message)] == [3, 1, 3]
    assert priority.granted(message, ["esnet"]) == ResourcePriority("esnet", "3")
    assert priority.granted(message, ["WPS", "esnet"]) == ResourcePriority("wps", "3")
    assert priority.granted(message, ["q735"]) is None


def test_values_of_one_namespace_are_ordered_least_first() -> None:
    ranks = {name: [ResourcePriority(name, value).rank for value in values] for name, values in NAMESPACES.items()}
    assert all(found == list(range(len(found))) for found in ranks.values())
    assert ResourcePriority("q735", "0").rank > ResourcePriority("q735", "4").rank  # type: ignore[operator]
    assert ResourcePriority("esnet", "9").rank is ResourcePriority("other", "1").rank is None


def test_what_is_required_and_not_known_is_refused_with_what_is_known() -> None:
    asked = ("Resource-Priority", "esnet.3")
    required = ("Require", "Resource-Priority, 100rel")
    assert priority.must_be_refused(request(asked, required), ["dsn"])
    assert not priority.must_be_refused(request(asked, required), ["esnet"])
    assert not priority.must_be_refused(request(asked), ["dsn"])
    assert not priority.must_be_refused(request(required), ["dsn"])
    told = Message([("Accept-Resource-Priority", priority.accept_value(["esnet"]))])
    assert [each.value for each in priority.accepted_of(told)] == list("01234")


@pytest.mark.parametrize("text", ["esnet", "esnet.", ".3", "es net.3", "a.b.c", "esnet.3;x"])
def test_what_is_no_resource_priority_is_told(text: str) -> None:
    with pytest.raises(SipRemoteError, match=r"namespace\.value"):
        resource_priorities_of(request(("Resource-Priority", text)))


@given(st.lists(st.sampled_from([ResourcePriority(name, value) for name in NAMESPACES for value in NAMESPACES[name]])))
def test_resource_priorities_come_back_as_they_went(values: list[ResourcePriority]) -> None:
    assert resource_priorities_of(request(("Resource-Priority", priority.value_of(values)))) == values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("emergency", Priority.EMERGENCY),
        (" PSAP-Callback ", Priority.PSAP_CALLBACK),
        ("non-urgent", Priority.NON_URGENT),
        ("whatever", None),
    ],
)
def test_priority_is_read_and_another_word_reads_as_none(text: str, found: Priority | None) -> None:
    assert priority_of(request(("Priority", text))) is found
    assert priority_of(request()) is None


@given(st.text(max_size=60))
def test_whatever_the_text_nothing_but_the_named_error_comes(text: str) -> None:
    message = request(("Session-ID", text), ("P-RTP-Stat", text), ("Resource-Priority", text), ("Priority", text))
    for read in (session_id_of, rtp_stat_of, resource_priorities_of, priority_of):
        try:
            read(message)
        except SipRemoteError as error:
            assert str(error)
