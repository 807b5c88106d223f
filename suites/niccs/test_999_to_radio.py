"""One 999 call, from the caller's phone to an officer's radio and back."""

from __future__ import annotations

from collections.abc import Callable

from harness.measure import times
from harness.protocols.rtp.g711 import Samples
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.conversation import converse

CLI = "+447700900123"
TALKGROUP = "GD-OPS-1"
AT_SCENE = 5
DOMESTIC = "Domestic in progress, caller in the kitchen"


@requirement("NICCS-TEL-001", "NICCS-INT-001", "NICCS-RAD-004")
async def test_999_call_reaches_the_officer_and_back(bench: Bench, speech: Callable[[str], Samples]) -> None:
    """A caller dials 999; the call is answered, dispatched by radio, answered by radio, and closed."""
    journal = bench.journal
    call_taker, dispatcher = await bench.console("govan-12"), await bench.console("govan-31")
    officer, trunk = await bench.terminal("officer"), await bench.trunk()
    issi = bench.issi("officer")
    gateway = bench.issi("gateway-1")

    # The call comes in, is presented with its number, and is answered.
    call = await trunk.dial("999", cli=CLI)
    shown = await call_taker.expect("call.ringing", within=2.0, queue="emergency", cli=CLI)
    await call.ringing(within=2.0)
    presented = times.presentation_time(journal, trunk.name, call_taker.name)
    bench.measured("presentation", presented, "s", requirement="NICCS-TEL-001", figure="alert_s")
    assert await call_taker.answer(queue="emergency") == shown.data["call"]
    await call.answered(within=2.0)
    await call_taker.expect("call.connected", within=2.0, call=shown.data["call"])
    bench.measured("set_up_time", times.set_up_time(journal, trunk.name), "s")
    bench.measured("answer_time", times.answer_time(journal, trunk.name), "s", limit=10.0)

    # They talk, and the caller presses keys.
    heard = await converse(call, call_taker.headset, speech("caller-999"))
    bench.measured("mouth_to_ear caller to call taker", heard.latency.ms, "ms", limit=300.0)
    heard = await converse(call_taker, call, speech("call-taker"))
    bench.measured("mouth_to_ear call taker to caller", heard.latency.ms, "ms", limit=300.0)
    await call.send_dtmf("55")
    first = await call_taker.expect("call.dtmf", within=2.0, call=shown.data["call"], digit="5")
    await call_taker.expect("call.dtmf", within=2.0, after=first.seq, call=shown.data["call"], digit="5")

    # The incident is opened with the number filled in, and handed to the dispatcher.
    after = journal.position
    incident = await call_taker.open_incident(DOMESTIC)
    await call_taker.expect("incident.opened", within=2.0, incident=incident, incident_call=shown.data["call"], cli=CLI)
    opened = times.between(
        journal, (call_taker.name, "console.open_incident"), (call_taker.name, "incident.opened"), after=after
    )
    bench.measured("incident_opened", opened, "s", requirement="NICCS-INT-001", figure="prefilled_s")
    await call_taker.hand_over(incident, "govan-31")
    await dispatcher.expect("incident.received", within=2.0, incident=incident, by="govan-12")

    # The dispatcher keys the talkgroup and is heard at the officer's terminal.
    after = journal.position
    await dispatcher.key(TALKGROUP)
    await dispatcher.expect("ptt.granted", within=2.0, talkgroup=TALKGROUP, after=after)
    grant_ms = 1000 * times.console_grant_time(journal, dispatcher.name, after=after)
    bench.measured("ptt_grant", grant_ms, "ms", limit=500.0)
    await officer.expect("talker.shown", within=0.5, after=after, talkgroup=TALKGROUP, issi=gateway)
    heard = await converse(dispatcher, officer.jack, speech("dispatch"))
    bench.measured(
        "mouth_to_ear dispatcher to officer",
        heard.latency.ms,
        "ms",
        requirement="NICCS-RAD-004",
        figure="tetra_mouth_to_ear_ms",
    )
    await dispatcher.unkey()
    await officer.expect("talker.ended", within=2.0, after=after, talkgroup=TALKGROUP)

    # The officer answers, then sends a status and a text.
    after = journal.position
    await officer.key()
    await dispatcher.expect("talker.shown", within=0.5, after=after, talkgroup=TALKGROUP, issi=issi)
    heard = await converse(officer.jack, dispatcher.headset, speech("officer-reply"))
    bench.measured(
        "mouth_to_ear officer to dispatcher",
        heard.latency.ms,
        "ms",
        requirement="NICCS-RAD-004",
        figure="tetra_mouth_to_ear_ms",
    )
    await officer.unkey()
    await dispatcher.expect("talker.ended", within=2.0, after=after, talkgroup=TALKGROUP)
    value = bench.status_value(AT_SCENE)
    await officer.send_status(value, to=gateway)
    await dispatcher.expect("status.shown", within=2.0, after=after, issi=issi, value=value)
    await officer.send_text("One male detained, all in order", to=gateway)
    await dispatcher.expect("sds.shown", within=2.0, after=after, issi=issi, text="One male detained, all in order")

    # The call is cleared and the incident closed.
    await call_taker.clear()
    await call.ended(within=2.0)
    await call_taker.expect("call.cleared", within=2.0, call=shown.data["call"])
    await dispatcher.close_incident(incident)
    await dispatcher.expect("incident.closed", within=2.0, incident=incident)
