"""Keywords of Webex calls: their states, what accounts do to them, their quality, hunt groups, voice messages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.webex import Webex
from harness.keywords.base import Topic
from harness.testbed.call_figures import TalkedCall, keeps, reported, says_the_same, talk_through

T = TypeVar("T")
SEEN_WITHIN = timedelta(seconds=2)


class WebexCallKeywords(Topic):
    """Calls as Webex tells them, and as its accounts handle them."""

    def _webex_of_calls(self, webex: str, act: Callable[[Webex], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.webex(webex))

        return self.session.run(do())

    @keyword
    def webex_call_is(self, webex: str, account: str, state: str, within: timedelta = SEEN_WITHIN) -> dict[str, Any]:
        """Fails where an account has no call in this state; returns the call as Webex tells it.

        That has ``callId``, ``callSessionId``, ``personality`` (``originator`` or ``terminator``), and ``remoteParty``
        with ``number`` and ``callType``.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``state``   | ``connecting``, ``alerting``, ``connected``, ``held``, ``remoteHeld`` … |
        | ``within``  | For how long is looked. |

        Example:
        | ${call}    `Webex Call Is`    webex    colleague    alerting |
        """
        seconds = within.total_seconds()
        return self._webex_of_calls(webex, lambda at: at.expect_call(state, by=account, within=seconds))

    @keyword
    def webex_account_holds_call(self, webex: str, account: str, call: str) -> None:
        """Puts an account's call on hold.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``call``    | The call's ``callId``. |

        Example:
        | `Webex Account Holds Call`    webex    operator    ${call}[callId] |
        """
        self._webex_of_calls(webex, lambda at: at.handle(call, "hold", by=account))

    @keyword
    def webex_account_resumes_call(self, webex: str, account: str, call: str) -> None:
        """Takes an account's call off hold. The act is ``webex.call_asked`` in the journal.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``call``    | The call's ``callId``. |

        Example:
        | `Webex Account Resumes Call`    webex    operator    ${call}[callId] |
        """
        self._webex_of_calls(webex, lambda at: at.handle(call, "resume", by=account))

    @keyword
    def webex_account_parks_call(self, webex: str, account: str, call: str) -> str:
        """Parks whom an account speaks to; returns the slot.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``call``    | The call's ``callId``. |

        Example:
        | ${slot}    `Webex Account Parks Call`    webex    operator    ${call}[callId] |
        """
        return self._webex_of_calls(webex, lambda at: at.park(call, by=account))

    @keyword
    def webex_account_retrieves_call(self, webex: str, account: str, slot: str) -> None:
        """Lets an account's telephone take up a parked call. The act is ``webex.call_asked`` in the journal.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``slot``    | Where the call is parked. |

        Example:
        | `Webex Account Retrieves Call`    webex    administrator    ${slot} |
        """
        self._webex_of_calls(webex, lambda at: at.retrieve(slot, by=account))

    @keyword
    def webex_account_transfers_call(self, webex: str, account: str, call: str, number: str) -> None:
        """Hands an account's call on to a number, which rings then.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``call``    | The call's ``callId``. |
        | ``number``  | Where it is to go. |

        On a testbed with real equipment the safety interlock must allow it.

        Example:
        | `Webex Account Transfers Call`    webex    administrator    ${call}[callId]    2001 |
        """
        self._webex_of_calls(webex, lambda at: at.transfer(call, number, by=account))

    @keyword
    def webex_hunt_group(self, webex: str, name: str) -> dict[str, Any]:
        """Returns a hunt group's plan: ``extension``, ``agents``, ``callPolicies`` with ``policy`` and ``noAnswer``.

        | =Argument= | =Description= |
        | ``webex`` | Webex's name in the testbed file. |
        | ``name``  | The hunt group's name. |

        Example:
        | ${plan}    `Webex Hunt Group`    webex    Service desk |
        """
        return self._webex_of_calls(webex, lambda at: at.hunt_group(name))

    @keyword
    def webex_voice_messages(self, webex: str, account: str) -> frozenset[str]:
        """Returns the voice messages that an account has, by their ids.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |

        Example:
        | ${before}    `Webex Voice Messages`    webex    colleague |
        """
        return self._webex_of_calls(webex, lambda at: at.voice_messages(by=account))

    @keyword
    def webex_voice_message_is_there(
        self, webex: str, account: str, beside: frozenset[str], within: timedelta = timedelta(seconds=60)
    ) -> dict[str, Any]:
        """Fails where an account has no new voice message that it has not heard; returns the oldest one.

        It is deleted at the test's end.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``beside``  | Those that it had before: what `Webex Voice Messages` returned. |
        | ``within``  | For how long is looked. |

        Example:
        | ${message}    `Webex Voice Message Is There`    webex    colleague    ${before} |
        """
        seconds = within.total_seconds()
        return self._webex_of_calls(
            webex, lambda at: at.expect_voice_message(by=account, within=seconds, beside=beside)
        )

    # How a call was

    @keyword
    def call_is_talked_through(self, webex: str, **parties: str) -> TalkedCall:
        """Lets the two who are in a call say something each, the first hang up, and returns what came to each.

        Fails where they don't hear each other.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``parties`` | The two: the Webex account, and its telephone's name in the testbed file. |

        Example:
        | ${call}    `Call Is Talked Through`    webex    operator=operator-phone    colleague=colleague-phone |
        """

        async def talk(at: Webex) -> TalkedCall:
            if len(parties) != 2:
                raise AssertionError(f"a call is of two parties, and {len(parties)} were named")
            bench = self.session.bench
            calls = {account: (await bench.telephone(phone)).current for account, phone in parties.items()}
            return await talk_through(bench, at, calls)

        return self._webex_of_calls(webex, talk)

    @keyword
    def call_keeps_figure(self, call: TalkedCall, requirement: str, figure: str) -> None:
        """Fails where what came to a party of a call is not as good as a figure of the catalogue; each is measured.

        Delay is mouth to ear; jitter and loss are by RTP and RTCP at the telephone; MOS is the E-model's (ITU-T G.107).

        | =Argument= | =Description= |
        | ``call``        | What `Call Is Talked Through` returned. |
        | ``requirement`` | The requirement that is judged. |
        | ``figure``      | The figure's name in ``fixtures/requirements``: ``delay_ms``, ``jitter_ms``, ``loss_share`` or ``mos``. |

        Example:
        | `Call Keeps Figure`    ${call}    WBX-007    jitter_ms |
        """  # noqa: E501 - a row of Robot's table is one line
        keeps(self.session.bench, call, requirement, figure)

    @keyword
    def webex_report_says_the_same(self, webex: str, call: TalkedCall, requirement: str, figure: str) -> None:
        """Waits for Webex's report of a call, and fails where it tells other figures than the telephones measured.

        How long it took is measured. Packets, loss, jitter and MOS of each party are compared.

        | =Argument= | =Description= |
        | ``webex``       | Webex's name in the testbed file. |
        | ``call``        | What `Call Is Talked Through` returned. |
        | ``requirement`` | The requirement that is judged. |
        | ``figure``      | The figure's name in ``fixtures/requirements``: the most that it may take, in minutes. |

        Example:
        | `Webex Report Says The Same`    webex    ${call}    WBX-024    complete_min |
        """
        bench = self.session.bench
        rows = self._webex_of_calls(webex, lambda at: reported(bench, at, call, requirement, figure))
        says_the_same(call, rows)
