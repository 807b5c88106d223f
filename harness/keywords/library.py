"""The keyword library ``harness.keywords.ICCS``: telephony, consoles and radio on one test bench."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from robot.api.deco import library

from harness.errors import TestbedError
from harness.evidence.allure_adapter import add_source
from harness.evidence.collect import Attachment, Keep
from harness.keywords.call_handling import CallHandlingKeywords
from harness.keywords.caller_location import CallerLocationKeywords
from harness.keywords.caller_phones import CallerPhoneKeywords
from harness.keywords.clocks import ClockKeywords
from harness.keywords.command_control import CommandControlKeywords
from harness.keywords.console import ConsoleKeywords
from harness.keywords.contact_us import ContactUsKeywords
from harness.keywords.continuity import ContinuityKeywords
from harness.keywords.crm import CrmKeywords
from harness.keywords.desk_radio import DeskRadioKeywords
from harness.keywords.emergency_network import EmergencyNetworkKeywords
from harness.keywords.emergency_operators import EmergencyOperatorKeywords
from harness.keywords.faults import FaultKeywords
from harness.keywords.figures import FigureKeywords
from harness.keywords.integration import IntegrationKeywords
from harness.keywords.keyed_radio import KeyedRadioKeywords
from harness.keywords.oversight import OversightKeywords
from harness.keywords.radio import RadioKeywords
from harness.keywords.radio_control import RadioControlKeywords
from harness.keywords.recordings import RecordingKeywords
from harness.keywords.roip import RoipKeywords
from harness.keywords.scenarios import ScenarioKeywords
from harness.keywords.session import DEFAULT_TESTBED, Session, TimeBase
from harness.keywords.sms_diary import SmsDiaryKeywords
from harness.keywords.supervision import SupervisionKeywords
from harness.keywords.survivability import SurvivabilityKeywords
from harness.keywords.telephone_calls import TelephoneCallKeywords
from harness.keywords.telephones import SwitchTelephoneKeywords
from harness.keywords.telephony import TelephonyKeywords
from harness.keywords.texting import TextingKeywords
from harness.keywords.webex import WebexKeywords
from harness.keywords.webex_calls import WebexCallKeywords
from harness.keywords.webex_in_meetings import MeetingKeywords
from harness.keywords.webex_meetings import FullMeetingKeywords
from harness.keywords.webex_migration import WebexMigrationKeywords
from harness.keywords.workforce import WorkforceKeywords
from harness.testbed.layouts import plays
from harness.testbed.load import load_testbed
from harness.testbed.places import KEEP_VARIABLE, TESTBED_VARIABLE


def _plays(run: Path, layout: str) -> bool:
    """Whether the run's testbed takes the place of a suite's own. One that can't be read is for the bench to tell."""
    try:
        return plays(load_testbed(run), layout)
    except TestbedError:
        return False


WAITS = "waits"
"""Tags a test that waits more than it works."""


@library(scope="SUITE", version="0.1.0", doc_format="ROBOT")
class ICCS(
    TelephonyKeywords,
    CallerPhoneKeywords,
    CallerLocationKeywords,
    EmergencyOperatorKeywords,
    EmergencyNetworkKeywords,
    ConsoleKeywords,
    SwitchTelephoneKeywords,
    TelephoneCallKeywords,
    CallHandlingKeywords,
    SupervisionKeywords,
    OversightKeywords,
    RecordingKeywords,
    CommandControlKeywords,
    ContactUsKeywords,
    CrmKeywords,
    IntegrationKeywords,
    ClockKeywords,
    RadioKeywords,
    RadioControlKeywords,
    DeskRadioKeywords,
    RoipKeywords,
    KeyedRadioKeywords,
    TextingKeywords,
    WebexKeywords,
    WebexCallKeywords,
    MeetingKeywords,
    FullMeetingKeywords,
    WebexMigrationKeywords,
    WorkforceKeywords,
    SmsDiaryKeywords,
    FaultKeywords,
    ContinuityKeywords,
    SurvivabilityKeywords,
    FigureKeywords,
    ScenarioKeywords,
):
    """Drives a control room's communications in an operator's words.

    Components go by their names in the testbed file, which says what stands behind each: a simulator or real
    equipment. The bench is opened by a test's first keyword and closed with the test; what it leaves (journal, ladder,
    captures) goes into the Allure report. Without ``iccs accept``, the library starts the simulators itself for as
    long as the suite.

    = Time =
    In real time everything runs over loopback sockets and serial lines. With ``time=virtual`` all of it runs in one
    process on a clock that jumps, and one seed gives one journal. A test that is tagged ``waits`` waits for people and
    clocks more than it works: where all of the testbed is simulated, it runs in virtual time; beside anything real, in
    real time.

    Example:
    | *** Settings *** |
    | Library    harness.keywords.ICCS |
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(
        self,
        testbed: str | None = None,
        time: TimeBase = "real",
        seed: int = 1,
        keep_evidence: Keep | None = None,
    ) -> None:
        """Chooses the testbed.

        | =Argument= | =Description= |
        | ``testbed``       | Testbed file; left out: the one that ``iccs accept`` was given, else all simulated. Where that of the run has real equipment, a suite that names one is played on the run's if that stands for it, and else skipped. |
        | ``time``          | ``real`` or ``virtual``. |
        | ``seed``          | Seed of virtual time. |
        | ``keep_evidence`` | ``failures`` or ``all``: which tests get captures, transcripts and audio. |
        """  # noqa: E501 - a row of Robot's table is one line
        file = Path(testbed or os.environ.get(TESTBED_VARIABLE) or DEFAULT_TESTBED)
        kept: Keep = "all" if (keep_evidence or os.environ.get(KEEP_VARIABLE)) == "all" else "failures"
        run = os.environ.get(TESTBED_VARIABLE)
        instead_of = Path(run) if testbed and run else None
        if instead_of is not None and _plays(instead_of, file.stem):
            file, time, instead_of = instead_of, "real", None
        self._usual = self.session = Session(file, time, seed, kept, instead_of=instead_of)
        self._waiting = Session(file, "virtual", seed, kept, instead_of=instead_of)
        """For tests that wait for people and clocks more than they work, where all is simulated."""
        self.seen = {}
        self.ROBOT_LIBRARY_LISTENER = self
        self._title = ""
        self._forget_source = add_source(self._evidence)

    def _start_test(self, data: Any, _result: Any) -> None:
        self._title = data.full_name
        waits = any(str(tag).lower() == WAITS for tag in data.tags)
        self.session = self._waiting if waits and self._usual.is_simulated else self._usual
        self.seen = {}
        self.forget_call()
        self.forget_speech()
        self.forget_meeting()

    def _evidence(self, failed: str | None) -> list[Attachment]:
        return self.session.end_test(self._title, failed=failed)

    def _end_test(self, _data: Any, result: Any) -> None:
        """Close a bench that nobody asked evidence of: without the project's Robot listener there is no report."""
        self.session.end_test(self._title, failed=result.message if result.failed else None)

    def _close(self) -> None:
        self._forget_source()
        self._usual.end_suite()
        self._waiting.end_suite()
