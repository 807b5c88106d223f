"""The error tree: who broke the rule, the peer or our own caller, and which protocol's rule it was."""

from __future__ import annotations


class HarnessError(Exception):
    """Anything the harness raises on purpose; its text is meant for a tester."""


class RemoteError(HarnessError):
    """The peer broke the protocol. Endpoints journal it and go on; it never ends a run by itself."""


class LocalError(HarnessError):
    """Our caller asked for what can't be done now, or at all. Raised to the tester."""


class NotApplicableError(HarnessError):
    """What is tested has no such thing, and need not have: an outcome of its own, neither a pass nor a skip.

    pytest and Robot both end a test with it as "not applicable"; the reason is told in the report.
    """

    # Robot: end the test as skipped, with the text alone.
    ROBOT_SKIP_EXECUTION = True
    ROBOT_SUPPRESS_NAME = True

    PREFIX = "not applicable: "
    """Begins the text, so that the outcome is known by it in JUnit, in Robot's output and from worker to worker."""

    def __init__(self, reason: str) -> None:
        """`reason`: why it can't be asked, for the report. Raises LocalError where it is empty."""
        if not reason.strip():
            raise LocalError("what is not applicable needs a reason")
        super().__init__(self.PREFIX + reason)

    @classmethod
    def tells(cls, message: str) -> bool:
        """Whether a skipped test's message is that of this outcome; pytest and Allure put "Skipped: " before it."""
        return message.removeprefix("Skipped: ").startswith(cls.PREFIX)


class NotPlayedError(HarnessError):
    """What is tested may well have it, and the harness can't ask for it yet: a skip, for it is work left to be done."""

    # Robot: end the test as skipped, with the text alone.
    ROBOT_SKIP_EXECUTION = True
    ROBOT_SUPPRESS_NAME = True

    PREFIX = "not played: "

    def __init__(self, reason: str) -> None:
        """`reason`: what the harness lacks, for the report."""
        super().__init__(self.PREFIX + reason)


class SipRemoteError(RemoteError):
    """A SIP peer sent what RFC 3261 does not allow."""


class SipLocalError(LocalError):
    """A SIP request or answer was asked for in a state, or with a value, that RFC 3261 does not allow."""


class SdpError(RemoteError):
    """A session description that RFC 8866 or the offer/answer model (RFC 3264) does not allow."""


class SdpLocalError(LocalError):
    """An offer or an answer was asked for that can't be written, or not now (RFC 3264 section 4, RFC 6337)."""


class RtpError(RemoteError):
    """An RTP or RTCP datagram that RFC 3550 does not allow."""


class MediaError(LocalError):
    """A media port or clip was asked for something it can't do."""


class PeiRemoteError(RemoteError):
    """A TETRA terminal, or a terminal equipment, sent what EN 300 392-5 does not allow."""


class PeiLocalError(LocalError):
    """A PEI command was refused, timed out, or asked for on a line that is gone."""


class SdsError(RemoteError):
    """An SDS, status or location payload that can't be read."""


class Ed137Error(RemoteError):
    """A radio's ED-137 header extension or session description can't be read."""


class Ed137LocalError(LocalError):
    """What our side is to tell a radio does not fit ED-137."""


class McpttError(RemoteError):
    """A floor control message or mcptt-info document can't be read (3GPP TS 24.380, TS 24.379)."""


class McpttLocalError(LocalError):
    """What our side is to say in floor control does not fit it."""


class AmlError(RemoteError):
    """An Advanced Mobile Location message that ETSI TS 103 625 does not allow, or that can't be written so."""


class PidfError(RemoteError):
    """A location object (PIDF-LO), or what carries it in SIP, that RFC 4119, 5139, 5491 or 6442 does not allow."""


class MsdError(RemoteError):
    """An eCall minimum set of data, or its control block (RFC 8147), that can't be read or written."""


class CallerLocationError(RemoteError):
    """The other end of the caller-location interface broke its rules (docs/interfaces/caller-location.md)."""


class CallerLocationLocalError(LocalError):
    """A caller's location can't be asked for: no link, no answer in time, or a question that makes no sense."""


class KeyingError(RemoteError):
    """A terminal server broke RFC 2217, or its control lines are not what it says they are."""


class KeyingLocalError(LocalError):
    """A control line can't be driven or read: there is none, or it is gone."""


class EidoError(RemoteError):
    """An emergency incident data object (NENA-STA-021.1) that can't be read, or refers to what is not in it."""


class CommandControlError(LocalError):
    """What goes to command and control can't be kept or sent, or was refused by it."""


class CrmError(LocalError):
    """A CRM refused what was asked of it, or answered what makes no sense."""


class CrmGoneError(CrmError):
    """A CRM can't be reached or is out of order now; what was asked can be asked again."""


class WebexError(LocalError):
    """What goes to Webex can't be sent, or what it answers makes no sense."""


class WebexGoneError(WebexError):
    """Webex can't be reached, or stays too busy; what was asked can be asked again."""


class WebexRefusedError(WebexError):
    """Webex refused what was asked of it."""

    def __init__(self, message: str, *, status: int, tracking: str) -> None:
        """``status``: HTTP's; ``tracking``: the trackingId, by which Cisco's support finds the request."""
        super().__init__(message)
        self.status = status
        self.tracking = tracking


class SignInRefusedError(WebexError):
    """An identity provider, or Webex, did not let somebody sign in."""


class WebhookRefusedError(WebexError):
    """What came to a webhook's address is not believed: unsigned, changed, old, or taken already."""


class OneTimeCodeError(LocalError):
    """A secret of one-time codes that can't be read."""


class JwtError(RemoteError):
    """A JSON Web Token that is not believed: it can't be read, is signed otherwise, or its time is over."""


class MigrationError(LocalError):
    """A migration to Webex can't be begun, was broken off, or can't be rolled back; who it is about it does not say."""

    def __init__(self, message: str, *, rolled_back: bool | None = None) -> None:
        """``rolled_back``: whether nothing of it is left; None: nothing was begun."""
        super().__init__(message)
        self.rolled_back = rolled_back


class ScimError(RemoteError):
    """A SCIM filter, path or patch that RFC 7644 does not allow, or that asks for what can't be."""

    def __init__(self, message: str, scim_type: str) -> None:
        """``scim_type``: the word of RFC 7644 table 9 for it, ``invalidFilter`` …."""
        super().__init__(message)
        self.scim_type = scim_type


class RecordsCheckError(LocalError):
    """A records database refused a check, can't be asked, or answered what can't be read."""

    def __init__(self, reason: str, *, unanswered: bool = False) -> None:
        """`unanswered`: nothing came back, so that what was sent may have got through."""
        super().__init__(reason)
        self.unanswered = unanswered


class DirectoryError(RemoteError):
    """A directory's file, feed or entry that can't be read (docs/interfaces/directory.md)."""


class NumberError(RemoteError):
    """A telephone number that can't be read."""


class CdrError(RemoteError):
    """A file of call detail or call management records that can't be read, or a record that can't be written so."""


class DialPlanError(LocalError):
    """A dial plan's pattern or route that means nothing, or a translation that leads nowhere."""


class SmsError(RemoteError):
    """A text message that 3GPP TS 23.040 or 23.038 does not allow, or that can't be written so."""


class ModemRemoteError(RemoteError):
    """A modem, or what drives one, sent what 3GPP TS 27.005 or 27.007 does not allow."""


class ModemLocalError(LocalError):
    """A modem's command was refused, timed out, or asked for on a line that is gone."""


class ModemUnansweredError(ModemLocalError):
    """A modem's command may have been carried out, and may not: the line was lost, or no result came in time."""


class SmppError(RemoteError):
    """An SMPP 3.4 peer sent a unit, field or parameter that can't be read, or one can't be written so."""


class SmppLocalError(LocalError):
    """A request to an SMPP service centre was refused, timed out, or asked for on a session that is gone."""


class SntpError(RemoteError):
    """A clock's answer that RFC 5905 does not allow, that tells no time, or that is to another question."""


class SntpLocalError(LocalError):
    """A clock's packet that can't be written, or a clock that was asked and did not answer."""


class SmppUnansweredError(SmppLocalError):
    """A request may have been carried out, and may not: the session was lost, or no response came in time."""


class MailError(LocalError):
    """A mail that a server would not have, or that could not be handed to one."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        """Whether trying again is of no use."""


class DatabaseError(LocalError):
    """A store refused what was to be kept: the disk is full, a value does not fit."""


class DatabaseGoneError(DatabaseError):
    """A store can't be reached now; what was asked can be asked again."""


class AuditChainError(LocalError):
    """An audit trail does not hold together, or an entry can't be part of one."""


class StaffingError(LocalError):
    """A load, a forecast or a schedule was asked for that can't be reckoned."""


class WfmFeedError(RemoteError):
    """A workforce management feed (docs/workforce.md) that can't be read; a line's error says which line."""


class TransportError(LocalError):
    """A port, line or address that can't be opened, or is gone."""


class ExpectationError(HarnessError, AssertionError):
    """What was due did not happen in time; the text tells what did, nearest first."""


class TestbedError(LocalError):
    """A testbed file, or what it names, is not as it must be."""

    __test__ = False


class ScenarioError(LocalError):
    """A scenario file, or what it names, is not as it must be."""


class InterlockError(LocalError):
    """The safety interlock refused to dial, key or send; nothing left the socket or the line."""


class DriverError(LocalError):
    """Equipment refused, or did not answer, what a test asked of it."""


class PageError(LocalError):
    """The champions' page can't do what was asked: what, and what is to be done about it."""
