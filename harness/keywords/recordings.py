"""Keywords of recordings: instant replay, what was recorded, export with its hash, holds, weeding, the standby."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from robot.api.deco import keyword

from harness.drivers.console import Console
from harness.drivers.supervisor import Supervisor
from harness.errors import DriverError, ExpectationError
from harness.keywords.base import Topic
from harness.measure.words import how_like
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.clips import read_clip

T = TypeVar("T")
LEAST: Final = 0.8
"""Normalised correlation from which a recording counts as what was said."""
LOOKS_EVERY_S: Final = 0.25


class RecordingKeywords(Topic):
    """What is done with recordings."""

    def _recorded_at(self, console: str, act: Callable[[Console], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.console(console))

        return self.session.run(do())

    def _recorders(self, act: Callable[[Supervisor], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.supervisor())

        return self.session.run(do())

    @keyword
    def operator_replays(self, console: str, clip: str, kind: str = "telephone_in") -> str:
        """Plays the newest leg of a kind that this position has heard or said in the last half hour; returns its name.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``clip``    | What has to be heard: a speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |
        | ``kind``    | ``telephone_in``, ``telephone_out``, ``radio_rx``, ``radio_tx``. |

        The time until it can be heard is measured against NICCS-REC-002. Fails where it is over the figure, there is no
        such leg, or it is not what was said.

        Example:
        | ${leg}    `Operator Replays`    govan-12    caller-999 |
        """  # noqa: E501 - a row of Robot's table is one line
        bench = self.session.bench

        async def replay(at: Console) -> str:
            asked = bench.journal.now()
            legs = await at.instant_replay()
            leg = next((str(each["leg"]) for each in legs if each["kind"] == kind), None)
            if leg is None:
                raise ExpectationError(f"{console} has no {kind} to replay; it has {[each['kind'] for each in legs]}")
            speech = await at.play_recording(leg)
            took = bench.journal.now() - asked
            bench.measured("instant replay", took, "s", requirement="NICCS-REC-002", figure="replay_s")
            _is_what_was_said(clip, speech, leg)
            return leg

        return self._recorded_at(console, replay)

    @keyword
    def replay_is_refused(self, console: str, leg: str) -> str:
        """Asks for a leg that this position must not hear; returns the reason of the refusal. Fails where it is played.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``leg``     | The leg's name. |

        Example:
        | ${reason}    `Replay Is Refused`    govan-13    ${leg} |
        """

        async def ask(at: Console) -> str:
            try:
                await at.play_recording(leg)
            except DriverError as error:
                return str(error)
            raise ExpectationError(f"{console} was played {leg}, which it has no right to")

        return self._recorded_at(console, ask)

    @keyword
    def recordings_are_found(
        self, console: str, count: int, within: timedelta = timedelta(seconds=3), **wanted: Any
    ) -> list[dict[str, Any]]:
        """Waits until so many recorded legs that fit are over, and returns all that fit, newest first.

        | =Argument= | =Description= |
        | ``console`` | The console of somebody with the right ``replay``. |
        | ``count``   | How many are due at least. |
        | ``within``  | The most that it may take. |
        | ``wanted``  | What they are of: ``kind``, ``record``, ``incident``, ``talkgroup``, ``issi``, ``position``, ``number``, ``since`` and ``until`` (as `Control Room Time` tells). |

        Example:
        | ${legs}    `Recordings Are Found`    govan-50    3    incident=${incident} |
        """  # noqa: E501 - a row of Robot's table is one line

        async def find(at: Console) -> list[dict[str, Any]]:
            began = self.session.bench.journal.now()
            while True:
                legs = await at.find_recordings(**wanted)
                if len(legs) >= count and all(leg["ended"] is not None for leg in legs):
                    return legs
                if self.session.bench.journal.now() - began > within.total_seconds():
                    raise ExpectationError(f"{count} recordings of {wanted} were due, there is {legs}")
                await asyncio.sleep(LOOKS_EVERY_S)

        return self._recorded_at(console, find)

    @keyword
    def recording_says(self, console: str, leg: str, clip: str) -> None:
        """Plays a recorded leg, and checks that it is what was said.

        | =Argument= | =Description= |
        | ``console`` | The console of somebody with the right ``replay``. |
        | ``leg``     | The leg's name. |
        | ``clip``    | What was said, as of `Operator Replays`. |

        Example:
        | `Recording Says`    govan-50    ${legs}[0][leg]    caller-999 |
        """

        async def play(at: Console) -> None:
            _is_what_was_said(clip, await at.play_recording(leg), leg)

        self._recorded_at(console, play)

    @keyword
    def recording_is_exported(self, console: str, leg: str, why: str) -> str:
        """Exports a leg, and returns its SHA-256. Fails where speech, manifest and audit don't name the same.

        | =Argument= | =Description= |
        | ``console`` | The console of somebody with the right ``export``. |
        | ``leg``     | The leg's name. |
        | ``why``     | Stands in the audit. |

        Example:
        | `Recording Is Exported`    govan-50    ${legs}[0][leg]    why=a complaint, by test |
        """

        async def export(at: Console) -> str:
            digest = (await at.export_recording(leg, why=why)).verify()
            supervisor = await self.session.bench.supervisor()
            entries = await supervisor.audit(position=at.position, act="export recording")
            told = [(each["target"], each["sha256"], each["why"]) for each in entries[-1:]]
            if told != [(leg, digest, why)]:
                raise ExpectationError(f"the audit tells of {told}; {leg} was exported with {digest}: {why}")
            return digest

        return self._recorded_at(console, export)

    @keyword
    def recording_is_held(self, console: str, leg: str, why: str) -> None:
        """Has a leg kept whatever its age.

        | =Argument= | =Description= |
        | ``console`` | The console of somebody with the right ``hold``. |
        | ``leg``     | The leg's name. |
        | ``why``     | Stands in the audit. |

        Example:
        | `Recording Is Held`    govan-50    ${leg}    why=a complaint, by test |
        """
        self._recorded_at(console, lambda at: at.hold_recording(leg, why=why))

    @keyword
    def recording_is_released(self, console: str, leg: str) -> None:
        """Has a leg held no more.

        | =Argument= | =Description= |
        | ``console`` | The console of somebody with the right ``hold``. |
        | ``leg``     | The leg's name. |

        Example:
        | `Recording Is Released`    govan-50    ${leg} |
        """
        self._recorded_at(console, lambda at: at.release_recording(leg))

    @keyword
    def recordings_are_weeded(self, after: timedelta = timedelta(0)) -> list[str]:
        """Lets time pass, has recordings weeded that are older than they are kept, and returns the legs that went.

        | =Argument= | =Description= |
        | ``after`` | How long to wait before. In virtual time that takes no time. |

        Example:
        | ${gone}    `Recordings Are Weeded`    after=5 min |
        """

        async def weed(at: Supervisor) -> list[str]:
            await asyncio.sleep(after.total_seconds())
            return await at.weed_recordings()

        return self._recorders(weed)

    @keyword
    def recorder_fails(self, recorder: str = "main") -> None:
        """Lets a recorder fail as if its power were gone.

        | =Argument= | =Description= |
        | ``recorder`` | ``main`` or ``standby``. |

        Example:
        | `Recorder Fails`    main |
        """
        self._recorders(lambda at: at.fail_recorder(recorder))

    @keyword
    def recorder_works_again(self, recorder: str = "main") -> None:
        """Lets a recorder that failed work again.

        | =Argument= | =Description= |
        | ``recorder`` | ``main`` or ``standby``. |

        Example:
        | `Recorder Works Again`    main |
        """
        self._recorders(lambda at: at.fail_recorder(recorder, failed=False))


def _is_what_was_said(clip: str, speech: Samples, leg: str) -> None:
    likeness = how_like(read_clip(clip), speech, rate=SAMPLE_RATE)
    if likeness < LEAST:
        raise ExpectationError(f"{leg} is not what was said ({clip}): correlation {likeness:.2f}, {LEAST} is due")
