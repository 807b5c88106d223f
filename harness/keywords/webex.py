"""Keywords of Webex: rooms, messages, accounts that are disabled and enabled, meetings, emergency callback."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.webex import ADMINISTRATOR, Webex
from harness.drivers.webex_meetings import Guests
from harness.endpoints.webex.sign_in import ONE_TIME_CODE
from harness.errors import ExpectationError, SignInRefusedError
from harness.keywords.base import Topic

T = TypeVar("T")
SEEN_WITHIN = timedelta(seconds=10)


class WebexKeywords(Topic):
    """What accounts of a Webex organisation do, and what others of them see."""

    def _webex(self, webex: str, act: Callable[[Webex], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.webex(webex))

        return self.session.run(do())

    @keyword
    def webex_room_is_made(self, webex: str, title: str, *members: str) -> str:
        """Makes a room as the administrator, brings accounts into it, and returns its id. It is deleted at the end.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``title``   | Its title; the prefix of the testbed file goes before it. |
        | ``members`` | Accounts of the testbed file. |

        Example:
        | ${room}    `Webex Room Is Made`    webex    leavers    leaver    operator |
        """

        async def do(at: Webex) -> str:
            room = await at.make_room(title)
            for member in members:
                await at.invite(room, member)
            return room

        return self._webex(webex, do)

    @keyword
    def webex_message_is_said(self, webex: str, room: str, text: str, by: str = ADMINISTRATOR) -> str:
        """Says something in a room that was made here, and returns the message's id.

        | =Argument= | =Description= |
        | ``webex`` | Webex's name in the testbed file. |
        | ``room``  | The room's id. |
        | ``text``  | What is said. |
        | ``by``    | The account that says it. |

        Example:
        | ${message}    `Webex Message Is Said`    webex    ${room}    Handover at six    by=leaver |
        """
        return self._webex(webex, lambda at: at.say(room, text, by=by))

    @keyword
    def webex_message_is_seen(self, webex: str, message: str, by: str, within: timedelta = SEEN_WITHIN) -> None:
        """Fails where an account does not see a message in time.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``message`` | The message's id. |
        | ``by``      | The account that is to see it. |
        | ``within``  | For how long is looked for it. |

        Example:
        | `Webex Message Is Seen`    webex    ${message}    by=operator |
        """

        async def do(at: Webex) -> None:
            await at.expect_message(message, by=by, within=within.total_seconds())

        self._webex(webex, do)

    @keyword
    def webex_account_is_disabled(self, webex: str, account: str) -> None:
        """Disables an account as the administrator. Of a real Webex only one that the file calls disposable.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |

        Example:
        | `Webex Account Is Disabled`    webex    leaver |
        """

        async def do(at: Webex) -> None:
            await at.account(account)
            await at.disable(account)

        self._webex(webex, do)

    @keyword
    def webex_account_is_enabled(self, webex: str, account: str) -> None:
        """Enables an account again as the administrator.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |

        Example:
        | `Webex Account Is Enabled`    webex    leaver |
        """
        self._webex(webex, lambda at: at.enable(account))

    @keyword
    def webex_account_signs_in(self, webex: str, account: str) -> float:
        """Signs an account in with its password and its one-time code; returns how many seconds it took.

        Fails where no second factor is asked for. Of a real Webex it is not applicable: a person signs in there.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |

        Example:
        | ${seconds}    `Webex Account Signs In`    webex    operator |
        """

        async def do(at: Webex) -> float:
            entry = await at.sign_in(account)
            if ONE_TIME_CODE not in entry.factors:
                raise ExpectationError(f"{webex}: {account} was let in by {' and '.join(entry.factors)} alone")
            return entry.seconds

        return self._webex(webex, do)

    @keyword
    def webex_account_does_not_sign_in(self, webex: str, account: str, password: str | None = None) -> str:
        """Fails where an account is let in by this password, or by its own; returns why it was not.

        | =Argument= | =Description= |
        | ``webex``    | Webex's name in the testbed file. |
        | ``account``  | The account. |
        | ``password`` | What is tried; left out: its own. |

        Example:
        | `Webex Account Does Not Sign In`    webex    operator    guess |
        """

        async def do(at: Webex) -> str:
            try:
                await at.sign_in(account, password=password)
            except SignInRefusedError as error:
                return str(error)
            raise ExpectationError(f"{webex}: {account} was let in, and is not to be")

        return self._webex(webex, do)

    @keyword
    def webex_directory_deactivates(self, webex: str, account: str) -> None:
        """Lets the force's directory tell by SCIM that somebody left. Of a real Webex only who is called disposable.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |

        Example:
        | `Webex Directory Deactivates`    webex    leaver |
        """

        async def do(at: Webex) -> None:
            await at.account(account)
            await at.deactivate(account, by=ADMINISTRATOR)

        self._webex(webex, do)

    @keyword
    def webex_directory_reactivates(self, webex: str, account: str) -> None:
        """Lets the force's directory tell by SCIM that somebody is back.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |

        Example:
        | `Webex Directory Reactivates`    webex    leaver |
        """
        self._webex(webex, lambda at: at.reactivate(account, by=ADMINISTRATOR))

    @keyword
    def webex_account_is_blocked(self, webex: str, account: str, within: timedelta = timedelta(minutes=15)) -> float:
        """Fails where an account's access token, which served before, serves still; returns after how many seconds.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``within``  | For how long is waited for it. |

        Example:
        | `Webex Account Is Blocked`    webex    leaver    within=15 min |
        """
        return self._webex(webex, lambda at: at.expect_blocked(account, within=within.total_seconds()))

    @keyword
    def webex_callback_number(self, webex: str, account: str) -> str:
        """Returns the number at which an emergency operator is told to call an account back.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |

        Example:
        | ${number}    `Webex Callback Number`    webex    operator |
        """
        return self._webex(webex, lambda at: at.callback_number(account))

    @keyword
    def webex_meeting_is_made(
        self,
        webex: str,
        title: str,
        *invited: str,
        by: str = ADMINISTRATOR,
        webinar: bool = False,
        guests: Guests | None = None,
        rooms: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Makes a meeting, and returns it: ``id``, ``meetingNumber`` and the rest. It is deleted at the end.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``title``   | Its title; the prefix of the testbed file goes before it. |
        | ``invited`` | Accounts that need not wait in the lobby; of a webinar, its panel. |
        | ``by``      | The account that is its host. |
        | ``webinar`` | Whether who is not invited only hears. |
        | ``guests``  | What becomes of who is not invited: ``allowJoin``, ``allowJoinWithLobby`` or ``blockFromJoin``; left out: as the service has it. |
        | ``rooms``   | Rooms whose devices are invited too, by their names. |

        Example:
        | ${meeting}    `Webex Meeting Is Made`    webex    briefing    colleague    by=operator |
        """  # noqa: E501 - a row of Robot's table is one line
        return self._webex(
            webex,
            lambda at: at.make_meeting(title, by=by, invite=invited, rooms=rooms, webinar=webinar, guests=guests),
        )

    @keyword
    def webex_participant_is(
        self,
        webex: str,
        meeting: str,
        number: str,
        state: str,
        by: str = ADMINISTRATOR,
        within: timedelta = SEEN_WITHIN,
    ) -> str:
        """Fails where who called a meeting from a number is not in this state; returns the participant's id.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``meeting`` | The meeting's id. |
        | ``number``  | The number that is shown of them. |
        | ``state``   | ``lobby``, ``joined`` or ``end``. |
        | ``by``      | The account that looks: the host. |
        | ``within``  | For how long is looked. |

        Example:
        | ${guest}    `Webex Participant Is`    webex    ${meeting}[id]    2000    lobby    by=operator |
        """

        async def do(at: Webex) -> str:
            seconds = within.total_seconds()
            return str((await at.expect_participant(meeting, state, number=number, by=by, within=seconds))["id"])

        return self._webex(webex, do)

    @keyword
    def webex_participant_is_admitted(self, webex: str, participant: str, by: str = ADMINISTRATOR) -> None:
        """Lets in somebody who waits in a lobby.

        | =Argument= | =Description= |
        | ``webex``       | Webex's name in the testbed file. |
        | ``participant`` | The participant's id. |
        | ``by``          | The account that lets them in: the host. |

        Example:
        | `Webex Participant Is Admitted`    webex    ${guest}    by=operator |
        """
        self._webex(webex, lambda at: at.admit(participant, by=by))

    @keyword
    def webex_agent_takes_calls(self, webex: str, queue: str, account: str, takes: bool = True) -> None:
        """Lets an agent take calls of a call queue, or not for now.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``queue``   | The call queue's name. |
        | ``account`` | The agent's account. |
        | ``takes``   | ``False``: not for now. |

        Example:
        | `Webex Agent Takes Calls`    webex    Pilot desk    operator    takes=False |
        """
        self._webex(webex, lambda at: at.join_queue(queue, account, joined=takes))

    @keyword
    def webex_call_is_connected(self, webex: str, account: str, within: timedelta = SEEN_WITHIN) -> str:
        """Fails where an account has no call that is connected; returns the call's ``callSessionId``.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``account`` | The account. |
        | ``within``  | For how long is looked. |

        Example:
        | ${session}    `Webex Call Is Connected`    webex    operator |
        """

        async def do(at: Webex) -> str:
            return str((await at.expect_call("connected", by=account, within=within.total_seconds()))["callSessionId"])

        return self._webex(webex, do)

    @keyword
    def webex_call_records(
        self, webex: str, session: str, count: int = 1, within: timedelta = timedelta(minutes=15)
    ) -> list[dict[str, str]]:
        """Fails where a call has fewer detailed records; returns them, by Webex's column names.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``session`` | The call's ``callSessionId``. |
        | ``count``   | How many there are to be: one for each party who has an account. |
        | ``within``  | For how long is looked, once a minute; they are there 5 minutes after the call. |

        Example:
        | ${records}    `Webex Call Records`    webex    ${session}    count=2 |
        """
        seconds = within.total_seconds()
        return self._webex(webex, lambda at: at.call_records(session, within=seconds, count=count))
