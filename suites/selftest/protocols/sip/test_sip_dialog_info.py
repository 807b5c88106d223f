"""Dialog states: RFC 4235's own documents, what a telephone exchange sends, the watcher's table, and hostile XML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import dialog_info
from harness.protocols.sip.dialog_info import (
    MAX_DIALOGS,
    MAX_VERSION,
    DialogInfo,
    DialogRow,
    Event,
    Party,
    State,
    Watcher,
    build,
    parse,
)

HEAD = '<?xml version="1.0"?>\n<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info"'


def document(inside: str, version: str = "0", state: str = "full", entity: str = "sip:alice@example.com") -> bytes:
    return f'{HEAD} version="{version}" state="{state}" entity="{entity}">{inside}</dialog-info>'.encode()


def test_the_rfc_s_first_document_is_read() -> None:
    """RFC 4235 section 6.1: one dialog that Alice began and is rejected."""
    info = parse(
        document(
            '<dialog id="as7d900as8" call-id="a84b4c76e66710" local-tag="1928301774" direction="initiator">'
            '<state event="rejected" code="486">terminated</state></dialog>',
            version="2",
            state="partial",
        )
    )
    assert info == DialogInfo(
        "sip:alice@example.com",
        2,
        False,
        (
            DialogRow(
                "as7d900as8",
                State.TERMINATED,
                "initiator",
                Event.REJECTED,
                486,
                "a84b4c76e66710",
                "1928301774",
            ),
        ),
    )


def test_the_rfc_s_longest_document_is_read() -> None:
    """RFC 4235 section 4.4's shape: parties, targets with parameters, who referred and what was replaced."""
    info = parse(
        document(
            """
        <dialog id="123456" call-id="Call-987@example.com" local-tag="1" remote-tag="2" direction="recipient">
          <state event="replaced">confirmed</state>
          <duration>274</duration>
          <replaces call-id="hg287s98s89" local-tag="6762h7" remote-tag="09278hsb"/>
          <referred-by>sip:bob@example.com</referred-by>
          <local>
            <identity display="Alice">sip:alice@example.com</identity>
            <target uri="sip:alice@pc33.example.com">
              <param pname="+sip.rendering" pval="no"/><param pname="isfocus" pval="true"/>
            </target>
          </local>
          <remote><identity>sip:carol@example.com</identity><other xmlns="urn:x">?</other></remote>
        </dialog>"""
        )
    )
    (row,) = info.dialogs
    assert (row.state, row.event, row.duration) == (State.CONFIRMED, Event.REPLACED, 274)
    assert row.replaces == ("hg287s98s89", "6762h7", "09278hsb")
    assert row.referred_by == "sip:bob@example.com"
    assert row.local.is_held and not row.remote.is_held
    assert (row.local.display, row.remote.identity) == ("Alice", "sip:carol@example.com")


def test_what_an_exchange_sends_is_read() -> None:
    """A document as public Asterisk installations send it: no names of a dialog, a version that never grows."""
    info = parse(document('<dialog id="2001">\n<state>confirmed</state>\n</dialog>', entity="sip:2001@192.0.2.27"))
    assert info.dialogs == (DialogRow("2001", State.CONFIRMED),)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "not well-formed"),
        (b"<a/>", "not a dialog-info"),
        (document("", state="some"), "full or partial"),
        (document("", entity=""), "full or partial"),
        (document("", version=""), "without a version"),
        (document("", version="-1"), "version is '-1'"),
        (document("", version="99999999999"), "version is"),
        (document('<dialog id="1"/>'), "state ''"),
        (document("<dialog><state>early</state></dialog>"), "a dialog ''"),
        (document('<dialog id="1"><state>ringing</state></dialog>'), "state 'ringing'"),
        (document('<dialog id="1"><state code="x">early</state></dialog>'), "code is 'x'"),
        (document('<dialog id="1"><state>early</state><duration>x</duration></dialog>'), "duration is 'x'"),
        (document('<dialog id="1"><state>early</state></dialog>' * (MAX_DIALOGS + 1)), "more than 500 dialogs"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type or entities"),
        (b"<a>" * 100, "deeper than"),
        (b"<a>" + b" " * 70_000 + b"</a>", "are read at most"),
    ],
)
def test_what_is_no_dialog_info_is_told(octets: bytes, told: str) -> None:
    with pytest.raises(SipRemoteError) as error:
        parse(octets)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "info",
    [
        DialogInfo("sip:a@b", -1, True),
        DialogInfo("sip:a@b", MAX_VERSION + 1, True),
        DialogInfo("sip:\0@b", 0, True),
        DialogInfo("sip:a@b", 0, True, (DialogRow("", State.EARLY),)),
        DialogInfo("sip:a@b", 0, True, (DialogRow("1", State.EARLY), DialogRow("1", State.EARLY))),
        DialogInfo("sip:a@b", 0, True, tuple(DialogRow(str(n), State.EARLY) for n in range(MAX_DIALOGS + 1))),
        DialogInfo("sip:a@b", 0, True, (DialogRow("1", State.EARLY, local=Party("x" * 70_000)),)),
        DialogInfo("sip:a@b", 0, True, (DialogRow("1", State.EARLY, local=Party("\ud800")),)),
    ],
    ids=range(8),
)
def test_a_document_that_can_not_be_written_is_refused(info: DialogInfo) -> None:
    with pytest.raises(SipLocalError):
        build(info)


def test_documents_are_written_in_the_namespace_without_a_prefix() -> None:
    """Telephones are seen that look for `<dialog-info`, not for the namespace."""
    octets = build(DialogInfo("sip:2001@pbx", 3, True, (DialogRow("1", State.EARLY, "recipient"),)))
    assert b'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="3" state="full"' in octets
    assert b'<dialog id="1" direction="recipient"><state>early</state></dialog>' in octets


texts = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), max_size=12).map(str.strip)
ids = st.text("abc123-", min_size=1, max_size=6)
parties = st.builds(
    Party,
    st.sampled_from(["sip:2001@pbx", "tel:+447700900123"]),
    texts,
    st.sampled_from(["sip:2001@127.0.0.1:5060;transport=udp"]),
    st.lists(st.tuples(ids, texts), max_size=2).map(tuple),
) | st.just(Party())
rows = st.builds(
    DialogRow,
    ids,
    st.sampled_from(State),
    st.sampled_from(["", "initiator", "recipient"]),
    st.none() | st.sampled_from(Event),
    st.none() | st.integers(100, 699),
    texts,
    texts,
    texts,
    st.none() | st.integers(0, 10_000),
    parties,
    parties,
    texts,
    st.none() | st.tuples(texts, texts, texts),
)
infos = st.builds(
    DialogInfo,
    st.just("sip:2001@pbx"),
    st.integers(0, MAX_VERSION),
    st.booleans(),
    st.lists(rows, max_size=5, unique_by=lambda row: row.id).map(tuple),
)


@given(infos)
def test_a_document_comes_back_as_it_went(info: DialogInfo) -> None:
    assert parse(build(info)) == info


@given(st.binary(max_size=200), st.integers(0, 200))
def test_whatever_the_octets_nothing_but_the_named_error_comes(octets: bytes, at: int) -> None:
    good = build(DialogInfo("sip:2001@pbx", 3, True, (DialogRow("1", State.EARLY, "recipient"),)))
    for data in (octets, good[:at] + octets + good[at:], document(octets.decode("latin-1"))):
        try:
            parse(data)
        except SipRemoteError as error:
            assert str(error)


def state(version: int, full: bool, **dialogs: State) -> DialogInfo:
    return DialogInfo("sip:2001@pbx", version, full, tuple(DialogRow(name, told) for name, told in dialogs.items()))


def test_a_watcher_keeps_a_table_and_knows_when_it_missed_something() -> None:
    """RFC 4235 section 4.3."""
    watcher = Watcher()
    assert not watcher.apply(state(4, False, a=State.EARLY))
    assert watcher.apply(state(4, True, a=State.EARLY, b=State.CONFIRMED))
    assert watcher.apply(state(5, False, a=State.CONFIRMED))
    assert watcher.apply(state(5, False, a=State.TERMINATED))  # late: it changes nothing
    assert watcher.apply(state(2, True))
    assert {name: row.state for name, row in watcher.rows.items()} == {"a": State.CONFIRMED, "b": State.CONFIRMED}
    assert not watcher.apply(state(7, False, b=State.TERMINATED))
    assert "b" in watcher.rows
    assert watcher.apply(state(9, True, c=State.TRYING))
    assert list(watcher.rows) == ["c"]
    assert watcher.apply(state(10, False, c=State.TERMINATED))
    assert watcher.rows == {} and watcher.entity == "sip:2001@pbx"
    watcher.restart()
    assert watcher.apply(state(0, True, d=State.EARLY))


def test_an_exchange_whose_version_never_grows_is_watched_all_the_same() -> None:
    watcher = Watcher()
    for told in (State.EARLY, State.CONFIRMED):
        assert watcher.apply(state(0, True, a=told))
        assert watcher.rows["a"].state is told


def test_what_a_change_leaves_out_stays_as_it_was() -> None:
    watcher = Watcher()
    first = DialogRow("a", State.EARLY, "recipient", call_id="1", remote=Party("sip:999@trunk"))
    watcher.apply(DialogInfo("sip:2001@pbx", 0, True, (first,)))
    watcher.apply(DialogInfo("sip:2001@pbx", 1, False, (DialogRow("a", State.CONFIRMED, remote_tag="2"),)))
    row = watcher.rows["a"]
    assert (row.state, row.direction, row.call_id, row.remote_tag) == (State.CONFIRMED, "recipient", "1", "2")
    assert row.remote.identity == "sip:999@trunk"


def test_a_watcher_s_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog_info, "MAX_DIALOGS", 1)
    watcher = Watcher()
    watcher.apply(state(0, True, a=State.EARLY))
    with pytest.raises(SipRemoteError, match="more than 1 dialogs"):
        watcher.apply(state(1, False, b=State.EARLY))
