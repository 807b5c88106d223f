"""Keywords of full meetings and webinars: many join, nobody is lost for their time, and who speaks is heard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from harness.drivers.attendees import Attendee
from harness.drivers.telephone_call import TelephoneCall
from harness.keywords.base import Topic
from harness.testbed.full_meetings import JOIN_PER_S, LISTEN_AT_ONCE, held, media_s, telephones_join
from harness.testbed.stability import Party, audience, pairs


class FullMeetingKeywords(Topic):
    """Telephones and attendees who are in one meeting."""

    _telephones: tuple[TelephoneCall, ...] = ()
    _attendees: tuple[Attendee, ...] = ()

    def forget_meeting(self) -> None:
        """Begin a test with nobody in a meeting."""
        self._telephones, self._attendees = (), ()

    @keyword
    def telephones_join_meeting(self, number: str, *telephones: str) -> None:
        """Lets telephones call a meeting, one after another; each has audio when it is its turn to speak or listen.

        | =Argument= | =Description= |
        | ``number``     | The meeting's number. |
        | ``telephones`` | Telephones of the testbed file: of a webinar, its panel. |

        Example:
        | `Telephones Join Meeting`    ${meeting}[meetingNumber]    operator-phone    colleague-phone |
        """
        calls = self.session.run(telephones_join(self.session.bench, number, telephones))
        self._telephones = (*self._telephones, *calls)

    @keyword
    def attendees_join_meeting(self, attendees: str, number: str, count: int) -> None:
        """Lets so many more call a meeting, twenty a second. Who does not get in is told when it is held.

        | =Argument= | =Description= |
        | ``attendees`` | Their component's name in the testbed file. |
        | ``number``    | The meeting's number. |
        | ``count``     | How many. |

        Example:
        | `Attendees Join Meeting`    attendees    ${meeting}[meetingNumber]    97 |
        """

        async def do() -> None:
            crowd = await self.session.bench.attendees(attendees)
            joined = await crowd.join(number, count, per_second=JOIN_PER_S, within=media_s())
            self._attendees = (*self._attendees, *joined)

        self.session.run(do())

    @keyword
    def meeting_is_stable(
        self,
        webex: str,
        meeting: dict[str, Any],
        requirement: str,
        figure: str,
        lasts: timedelta,
        by: str,
        webinar: bool = False,
    ) -> int:
        """Holds the meeting that telephones and attendees joined; returns the least who were in it by the service.

        Fails where somebody is dropped, the service counts others than those who joined, anybody's media were not
        sampled, or a sample is later or has lost more than is agreed of calls. Of a webinar telephones speak, and its
        attendees are not to be heard.

        | =Argument= | =Description= |
        | ``webex``       | Webex's name in the testbed file. |
        | ``meeting``     | What `Webex Meeting Is Made` returned. |
        | ``requirement`` | The requirement that is judged. |
        | ``figure``      | Its figure's name in ``fixtures/requirements``: how many are to be in it; of a webinar, its panel does not count. |
        | ``lasts``       | For how long it is held. |
        | ``by``          | The account that is its host. |
        | ``webinar``     | Whether it is one. |

        Example:
        | ${least}    `Meeting Is Stable`    webex    ${meeting}    WBX-014    participants    60 min    by=operator |
        """  # noqa: E501 - a row of Robot's table is one line
        parties: list[Party] = [*self._telephones, *self._attendees]
        turns = audience(self._telephones, self._attendees, LISTEN_AT_ONCE) if webinar else pairs(parties)

        async def do() -> int:
            bench = self.session.bench
            found = await held(
                bench,
                await bench.webex(webex),
                meeting,
                parties,
                turns,
                by=by,
                lasts_s=lasts.total_seconds(),
                judges=requirement,
                figure=figure,
                beside=len(self._telephones) if webinar else 0,
            )
            return min(count for _, count in found.counted)

        return self.session.run(do())
