"""Keywords of what goes on in a Webex meeting: media for who joins, a recording announced and kept, a share seen."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.errors import ExpectationError
from harness.keywords.base import Topic
from harness.testbed import meeting_recordings
from harness.testbed.meeting_media import joins

T = TypeVar("T")
SEEN_WITHIN = timedelta(seconds=10)
GONE_WITHIN = timedelta(seconds=3)


class MeetingKeywords(Topic):
    """What people and room devices do in a meeting; ``meeting`` is what `Webex Meeting Is Made` returned."""

    def _webex_of_meetings(self, webex: str, act: Callable[[Webex], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.webex(webex))

        return self.session.run(do())

    async def _in_call(self, telephone: str) -> TelephoneCall:
        return (await self.session.bench.telephone(telephone)).current

    @keyword
    def telephone_joins_meeting(
        self, webex: str, meeting: dict[str, Any], telephone: str, by: str, inside: str | None = None
    ) -> None:
        """Lets a telephone call a meeting's number, and fails where it has no media there in the time of WBX-013.

        With somebody inside both speak at once: the seconds from dialling until each hears the other are measured.

        | =Argument= | =Description= |
        | ``webex``     | Webex's name in the testbed file. |
        | ``meeting``   | The meeting. |
        | ``telephone`` | Who joins: a telephone of the testbed file. |
        | ``by``        | The account that is its host, which has to see them there. |
        | ``inside``    | A telephone that is in the meeting already; left out: nobody is. |

        Example:
        | `Telephone Joins Meeting`    webex    ${meeting}    colleague-phone    by=operator    inside=operator-phone |
        """

        async def join(at: Webex) -> None:
            bench = self.session.bench
            other = None if inside is None else await self._in_call(inside)
            await joins(bench, at, meeting, await bench.telephone(telephone), other, by=by)

        self._webex_of_meetings(webex, join)

    @keyword
    def webex_recording_begins(self, webex: str, meeting: dict[str, Any], *telephones: str, by: str) -> None:
        """Begins to record a meeting, and fails where somebody in it hears no notice of that within a second.

        | =Argument= | =Description= |
        | ``webex``      | Webex's name in the testbed file. |
        | ``meeting``    | The meeting. |
        | ``telephones`` | Telephones of the testbed file that are in it. |
        | ``by``         | The account that is its host. |

        Example:
        | `Webex Recording Begins`    webex    ${meeting}    operator-phone    colleague-phone    by=operator |
        """

        async def begin(at: Webex) -> None:
            calls = [await self._in_call(telephone) for telephone in telephones]
            await meeting_recordings.begin(at, meeting["id"], calls, by=by)

        self._webex_of_meetings(webex, begin)

    @keyword
    def webex_recording_ends(self, webex: str, meeting: dict[str, Any], by: str) -> dict[str, Any]:
        """Ends the recording of a meeting and returns it: ``storageRegion``, ``createTime``, ``retentionUntil`` ….

        A real service works on it first: it is waited for. Fails where the meeting has none, or more than one.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``meeting`` | The meeting. |
        | ``by``      | The account that ends it. |

        Example:
        | ${recording}    `Webex Recording Ends`    webex    ${meeting}    by=operator |
        """

        async def end(at: Webex) -> dict[str, Any]:
            await at.record_meeting(meeting["id"], on=False, by=by)
            return await at.expect_recording(meeting["id"], by=by)

        return self._webex_of_meetings(webex, end)

    @keyword
    def webex_recordings_are_seen(self, webex: str, meeting: dict[str, Any], count: int, by: str) -> None:
        """Fails where an account sees more or fewer recordings of a meeting.

        | =Argument= | =Description= |
        | ``webex``   | Webex's name in the testbed file. |
        | ``meeting`` | The meeting. |
        | ``count``   | How many it is to see. |
        | ``by``      | The account. |

        Example:
        | `Webex Recordings Are Seen`    webex    ${meeting}    0    by=partner |
        """

        async def look(at: Webex) -> None:
            there = len(await at.recordings(meeting["id"], by=by))
            if there != count:
                raise ExpectationError(f"{by} sees {there} recordings of the meeting, and is to see {count}")

        self._webex_of_meetings(webex, look)

    @keyword
    def webex_recording_holds(self, webex: str, recording: dict[str, Any], *clips: str, by: str) -> None:
        """Downloads a recording, and fails where something that was said is not in it.

        | =Argument= | =Description= |
        | ``webex``     | Webex's name in the testbed file. |
        | ``recording`` | What `Webex Recording Ends` returned. |
        | ``clips``     | What was said: speech files of ``fixtures/audio`` without their ending, or paths (8 kHz, mono). |
        | ``by``        | The account that downloads it. |

        Example:
        | `Webex Recording Holds`    webex    ${recording}    caller-999    call-taker    by=operator |
        """  # noqa: E501 - a row of Robot's table is one line
        self._webex_of_meetings(webex, lambda at: meeting_recordings.holds(at, recording, clips, by=by))

    @keyword
    def webex_recording_is_as_agreed(self, webex: str, recording: dict[str, Any]) -> None:
        """Fails where a recording lies in another region, or is to be kept for another time, than is agreed.

        What is agreed of a real organisation stands in the testbed file, under ``recordings``.

        | =Argument= | =Description= |
        | ``webex``     | Webex's name in the testbed file. |
        | ``recording`` | What `Webex Recording Ends` returned. |

        Example:
        | `Webex Recording Is As Agreed`    webex    ${recording} |
        """

        async def told(at: Webex) -> None:
            meeting_recordings.as_agreed(at, recording)

        self._webex_of_meetings(webex, told)

    @keyword
    def webex_recording_goes_in_time(
        self, webex: str, meeting: dict[str, Any], recording: dict[str, Any], by: str
    ) -> None:
        """Fails where a recording goes before the time is over for which it is kept, or does not go then.

        It is looked for a minute before its time is over, and a minute after: where that is long, in virtual time only.

        | =Argument= | =Description= |
        | ``webex``     | Webex's name in the testbed file. |
        | ``meeting``   | The meeting. |
        | ``recording`` | What `Webex Recording Ends` returned. |
        | ``by``        | The account that looks. |

        Example:
        | `Webex Recording Goes In Time`    webex    ${meeting}    ${recording}    by=operator |
        """

        async def kept(at: Webex) -> None:
            await meeting_recordings.goes_in_time(self.session.bench, at, meeting["id"], recording, by=by)

        self._webex_of_meetings(webex, kept)

    # What room devices show

    @keyword
    def webex_device_shares(self, webex: str, device: str, on: bool = True) -> None:
        """Shows something from a room device in the meeting that it is in, or shows it no more.

        | =Argument= | =Description= |
        | ``webex``  | Webex's name in the testbed file. |
        | ``device`` | The device's name. |
        | ``on``     | ``False``: no more. |

        Example:
        | `Webex Device Shares`    webex    Briefing room |
        """
        self._webex_of_meetings(webex, lambda at: at.share(device, on=on))

    @keyword
    def webex_device_sees_share(
        self, webex: str, device: str, requirement: str, figure: str, within: timedelta = SEEN_WITHIN
    ) -> float:
        """Fails where a room device does not see what another one shows; returns after how many seconds it did.

        | =Argument= | =Description= |
        | ``webex``       | Webex's name in the testbed file. |
        | ``device``      | The device's name. |
        | ``requirement`` | The requirement that is judged. |
        | ``figure``      | The figure's name in ``fixtures/requirements``: the most that is allowed, in seconds. |
        | ``within``      | For how long is looked: longer than the figure, so that what is late is told by how much. |

        Example:
        | `Webex Device Sees Share`    webex    Command room    WBX-016    visible_s |
        """

        async def look(at: Webex) -> float:
            took = await at.expect_shared(device, within=within.total_seconds())
            self.session.bench.measured("share_visible", took, "s", requirement=requirement, figure=figure)
            return took

        return self._webex_of_meetings(webex, look)

    @keyword
    def webex_device_sees_no_share(self, webex: str, device: str, within: timedelta = GONE_WITHIN) -> None:
        """Fails where a room device still sees what another one shows.

        | =Argument= | =Description= |
        | ``webex``  | Webex's name in the testbed file. |
        | ``device`` | The device's name. |
        | ``within`` | By when it is to see it no more. |

        Example:
        | `Webex Device Sees No Share`    webex    Command room |
        """

        async def look(at: Webex) -> None:
            await at.expect_share_over(device, within=within.total_seconds())

        self._webex_of_meetings(webex, look)
