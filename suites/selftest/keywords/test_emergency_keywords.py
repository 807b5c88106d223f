"""The keywords of callers' telephones, emergency operators and their network, as a Robot suite uses them."""

from __future__ import annotations

from pathlib import Path

from harness.keywords.session import DEFAULT_TESTBED
from suites.selftest.keywords.robot_suite import Suite

TWO_ROOMS = DEFAULT_TESTBED.with_name("emergency-network.yaml")


def passes(folder: Path, body: str, *, testbed: Path = DEFAULT_TESTBED) -> None:
    """The one test in ``body`` passes."""
    code, results, said = Suite(folder).run(body, options=f"testbed={testbed}    time=virtual")
    assert [status for status, _ in results.values()] == ["PASS"], results
    assert code == 0, said


def test_a_caller_is_connected_and_handed_over(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """\
Handed Over
    Operator Sits At    govan-12
    Emergency Network Is Watched    emergency
    Caller Phone Dials    mobile    999
    Caller Phone Is Answered    mobile
    Caller Phone Says    mobile    caller-999
    Console Shows    govan-12    call.ringing    within=20 s    queue=emergency    cli=+447700900123
    Operator Answers    govan-12
    ${shown}    Emergency Network Tells    emergency    call.connected    route=primary
    Emergency Network Tells    emergency    operator.left    within=20 s    call=${shown}[call]
    Caller Phone Presses    mobile    5
    Console Shows    govan-12    call.dtmf    within=2 s    digit=5
    Operator Clears Call    govan-12
    ${status}    Call Of Caller Phone Is Over    mobile
    Should Be Equal As Integers    ${status}    200
    ${record}    Emergency Call Record    emergency    ${shown}[call]
    Should Be Equal    ${record}[outcome]    answered
    Should Be Equal    ${record}[cleared_by]    control-room
""",
    )


def test_an_operator_by_hand_takes_a_silent_caller_through_the_announcement(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """\
Silent
    Operator Sits At    govan-12
    Emergency Operator Sits At    operator-1
    Caller Phone Dials    mobile    999    withheld=yes
    ${seen}    Emergency Operator Sees    operator-1    call.waiting    cli=+447700900123    line=mobile
    ${call}    Emergency Operator Answers    operator-1    ${seen}[call]
    Caller Phone Is Answered    mobile
    Emergency Operator Says    operator-1    operator-service
    Emergency Operator Starts Silent Solution    operator-1
    Caller Phone Presses    mobile    55
    Emergency Operator Sees    operator-1    silent.heard    within=25 s    heard=55
    Emergency Operator Connects    operator-1    police    route=primary
    Emergency Operator Sees    operator-1    call.ringing
    Emergency Operator Stops Connecting    operator-1
    Emergency Operator Sees    operator-1    call.connect_failed
    Emergency Operator Connects    operator-1    silent=55
    Console Shows    govan-12    call.ringing    within=2 s
    Operator Answers    govan-12
    Emergency Operator Sees    operator-1    call.connected
    Emergency Operator Tags Nuisance    operator-1
    Emergency Operator Leaves    operator-1
    Emergency Operator Joins    operator-1    ${call}
    Emergency Operator Clears    operator-1
    Call Of Caller Phone Is Over    mobile
    ${record}    Emergency Call Record    emergency    ${call}
    Should Be True    ${record}[preserved]
    Should Be Equal    ${record}[keys]    55
""",
    )


def test_a_landline_is_held_and_lifted_and_a_mobile_is_registered_by_text(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """\
Held
    Operator Sits At    govan-12
    Emergency Network Is Watched    emergency
    Caller Phone Dials    landline    112    latitude=55.8642    longitude=-4.2518
    Caller Phone Is Answered    landline
    Caller Phone Says    landline
    Console Shows    govan-12    call.ringing    within=20 s
    Operator Answers    govan-12
    Emergency Network Tells    emergency    call.connected
    Caller Phone Hangs Up    landline
    Emergency Network Tells    emergency    caller.held    seconds=45.0
    Caller Phone Lifts    landline
    Caller Phone Is Answered    landline
    Emergency Network Tells    emergency    caller.restored    lifted=1
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    landline
    ${status}    Caller Phone Sends Text    mobile    register
    Should Be Equal As Integers    ${status}    202
    ${asked}    Caller Phone Receives Text    mobile    containing=reply yes
    Caller Phone Sends Text    mobile    yes
    ${told}    Caller Phone Receives Text    mobile
    Should Not Be Equal    ${asked}    ${told}
""",
    )


def test_a_call_in_writing_and_a_vehicle_s(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """\
In Writing
    Emergency Operator Sits At    operator-1
    Caller Phone Dials    mobile    18000    text=yes
    ${seen}    Emergency Operator Sees    operator-1    call.waiting    text=relay
    Emergency Operator Answers    operator-1
    Caller Phone Is Answered    mobile
    Emergency Operator Writes    operator-1    Are you safe?
    Caller Phone Reads    mobile    Are you safe?
    Caller Phone Writes    mobile    No
    Emergency Operator Sees    operator-1    call.text    within=2 s
    Caller Phone Hangs Up    mobile
    Emergency Operator Sees    operator-1    call.ended    call=${seen}[call]
    Vehicle Calls    landline    55.8642    -4.2518    vin=WM9VDSVDSYA123456    people=2
    Emergency Operator Sees    operator-1    call.waiting    line=vehicle
    Emergency Operator Answers    operator-1
    Caller Phone Is Answered    landline
    Caller Phone Shows    landline    ecall.ack    received=True
""",
    )


def test_routes_fail_operators_are_few_and_a_crowd_calls(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """\
A Bad Night
    Operator Sits At    east-01    west-01
    Emergency Network Is Watched    emergency
    Emergency Operator Sits At    operator-1
    Emergency Operator Calls Control Room    operator-1    police-west
    Console Shows    west-01    call.ringing    within=2 s    queue=critical
    Operator Answers    west-01    queue=critical
    Emergency Operator Sees    operator-1    call.connected    within=2 s    route=critical
    Emergency Operators Work    emergency    automatic=30    answer=1 s    stay=2 s    listen=1 s    until_told=yes
    Emergency Route Changes    emergency    police-west    primary    cut=yes
    Emergency Route Changes    emergency    police-west    secondary    number=101    delayed_offer=no
    Emergency Network Fails    emergency    slow_answer    by=3 s
    Emergency Network Recovers    emergency    slow_answer
    Emergency Network Tells    emergency    route.down    within=40 s    route=primary
    ${spate}    Spate Begins    emergency    4    over=2 s    shape=poisson    speak=3    press_55=1
    Console Shows    east-01    call.ringing    within=150 s
    ${figures}    Spate Figures    emergency    ${spate}
    Should Be Equal As Integers    ${figures}[dialled]    4
    Spate Ends    emergency    ${spate}
    Emergency Network Tells    emergency    spate.ended    within=5 s
""",
        testbed=TWO_ROOMS,
    )


def test_what_can_not_be_is_told(tmp_path: Path) -> None:
    code, results, _ = Suite(tmp_path).run(
        """\
Half A Place
    Caller Phone Dials    mobile    latitude=55.8

No Such Phone
    Caller Phone Dials    govan-12

No Call
    Caller Phone Presses    mobile    5

Nobody Rings Back
    Caller Phone Picks Up    mobile    within=3 s

No Text
    Caller Phone Receives Text    mobile    containing=reply yes    within=1 s

Nobody Waits
    Emergency Operator Answers    operator-1

Off This Machine
    Emergency Route Changes    emergency    police    primary    to=192.0.2.1:5060
"""
    )
    told = {name: message for name, (_, message) in results.items()}
    assert code == 7
    assert "'latitude' and 'longitude' go together" in told["Half A Place"]
    assert "it has mobile, landline" in told["No Such Phone"]
    assert "there were 0" in told["No Call"]
    assert "expected phone.rings on mobile within 3 s" in told["Nobody Rings Back"]
    assert "expected text.received on mobile with text=…reply yes… within 1 s" in told["No Text"]
    assert "409" in told["Nobody Waits"]
    assert "'192.0.2.1:5060' is on another machine" in told["Off This Machine"]
