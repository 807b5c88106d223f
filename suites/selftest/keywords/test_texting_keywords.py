"""Keywords of texts, as a suite uses them."""

from __future__ import annotations

from pathlib import Path

from suites.selftest.keywords.robot_suite import Suite

BODY = """\
Reminded And Answered
    FOR    ${way}    IN    sms-modem    sms-smpp
        ${reference}    Text Is Sent    ${way}    07700 900123    Your appointment is on Monday.    validity=1 h
        ${got}    Handset Gets Text    +447700900123    Your appointment is on Monday.
        Should Be Equal As Integers    ${got}[parts]    1
        Text Report Comes    ${way}    ${reference}
        Handset Sends Text    +447700900123    ${way}    cancel
        ${answer}    Text Is Received    ${way}    sender=+447700900123
        Should Be Equal    ${answer}[text]    cancel
    END

Off
    Handset Is Switched    +447700900124    on=False
    ${reference}    Text Is Sent    sms-smpp    +447700900124    too late    validity=2 s
    Text Report Comes    sms-smpp    ${reference}    EXPIRED
    Handset Is Switched    +447700900124

Never
    Handset Gets Text    +447700900125    within=1 s
"""


def test_a_suite_sends_texts_and_handsets_answer(tmp_path: Path) -> None:
    code, results, said = Suite(tmp_path).run(BODY)
    assert results["Reminded And Answered"][0] == "PASS", said
    assert results["Off"][0] == "PASS", said
    assert results["Never"] == (
        "FAIL",
        "ExpectationError: sms: +447700900125 was to get a text within 1 s; it got nothing",
    )
    assert code == 1
