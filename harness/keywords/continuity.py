"""Keywords of speech that goes on while something is done to the call: whether anybody missed any of it."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.drivers.trunk import TrunkCall
from harness.errors import ExpectationError
from harness.keywords.base import Topic
from harness.measure.gap import Gap
from harness.testbed.clips import read_clip
from harness.testbed.components import CallerPhoneComponent, TelephoneComponent
from harness.testbed.continuity import Speaker, Speech, gaps_since, speak_on
from harness.testbed.conversation import Ear, converse

CALLER = "caller"
"""Who is on the call that `Caller Dials` placed."""


class ContinuityKeywords(Topic):
    """One speaks on, the others listen."""

    _speeches: tuple[Speech, ...] = ()

    @property
    def call(self) -> TrunkCall:
        """The call that `Caller Dials` placed; telephony's keywords have it."""
        raise NotImplementedError

    def forget_speech(self) -> None:
        """Begin a test in silence."""
        self._speeches = ()

    async def _party(self, name: str) -> tuple[Speaker, Ear]:
        bench = self.session.bench
        if name == CALLER:
            return self.call, self.call
        if isinstance(bench.testbed.components.get(name), CallerPhoneComponent):
            call = (await bench.caller_phone(name)).call()
            return call, call
        if isinstance(bench.testbed.components.get(name), TelephoneComponent):
            current = (await bench.telephone(name)).current
            return current, current
        headset = (await bench.console(name)).headset
        return headset, headset

    @keyword
    def party_speaks_on(self, party: str, *heard_by: str, clip: str = "dispatch") -> None:
        """Lets somebody speak for the next minute without a stop, and records what each of the others hears.

        | =Argument= | =Description= |
        | ``party``    | Who speaks: ``caller`` (who is on the call that `Caller Dials` placed), a console, a caller's telephone, or a telephone of the switch, by its name in the testbed file. |
        | ``heard_by`` | Who listens, named likewise. |
        | ``clip``     | What is said over and over: a speech file of ``fixtures/audio`` without its ending, or a path to a WAV file (8 kHz, mono). |

        What is done to the call then is done in mid-speech; `Audio Gaps Since` tells what was missed. Two may speak at
        once where no ear hears both.

        Example:
        | `Party Speaks On`    govan-31    caller    govan-12 |
        """  # noqa: E501 - a row of Robot's table is one line

        async def begin() -> Speech:
            mouth, _ = await self._party(party)
            return await speak_on(mouth, {ear: (await self._party(ear))[1] for ear in heard_by}, read_clip(clip))

        self._speeches += (self.session.run(begin()),)

    @keyword
    def party_listens_too(self, party: str) -> None:
        """Lets one more listen to who speaks on: what was said before, from the act on, counts as missed.

        | =Argument= | =Description= |
        | ``party`` | Who listens, named as in `Party Speaks On`. |

        Example:
        | `Party Listens Too`    third-phone |
        """

        async def listen() -> None:
            await self._speeches[-1].listens_too(party, (await self._party(party))[1])

        self._speak_on_first()
        self.session.run(listen())

    @keyword
    def party_hears(self, party: str, speaker: str, clip: str = "officer-reply") -> None:
        """Lets one speak, and checks that another hears it.

        | =Argument= | =Description= |
        | ``party``   | Who listens: ``caller`` (who is on the call that `Caller Dials` placed), or a console by its name in the testbed file. |
        | ``speaker`` | Who speaks, named likewise. |
        | ``clip``    | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Example:
        | `Party Hears`    govan-50    caller |
        """  # noqa: E501 - a row of Robot's table is one line
        self.session.run(self._speaks(speaker, party, clip))

    @keyword
    def party_does_not_hear(self, party: str, speaker: str, clip: str = "officer-reply") -> None:
        """Lets one speak, and fails where another hears it; arguments are those of `Party Hears`.

        | =Argument= | =Description= |
        | ``party``   | Who must not hear it. |
        | ``speaker`` | Who speaks. |
        | ``clip``    | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Example:
        | `Party Does Not Hear`    caller    govan-50 |
        """
        try:
            self.session.run(self._speaks(speaker, party, clip))
        except ExpectationError:
            return
        raise AssertionError(f"{party} hears what {speaker} says, and must not")

    async def _speaks(self, speaker: str, party: str, clip: str) -> None:
        mouth, _ = await self._party(speaker)
        _, ear = await self._party(party)
        await converse(mouth, ear, read_clip(clip))

    @keyword
    def audio_gaps_since(
        self,
        component: str,
        event: str,
        requirement: str | None = None,
        figure: str | None = None,
        limit: timedelta | None = None,
        act: str | None = None,
    ) -> dict[str, float]:
        """Returns the longest gap that each listener heard since an act, in seconds, each held against a figure.

        | =Argument= | =Description= |
        | ``component``   | Whose event the act is, by its name in the testbed file. |
        | ``event``       | The act as the journal has it, the latest of its kind: ``console.transfer``, ``console.conference`` … |
        | ``requirement`` | Fails where a gap is longer than a figure of this requirement. |
        | ``figure``      | That figure's name in ``fixtures/requirements``. |
        | ``limit``       | The longest gap that is allowed, where the requirement has no figure of its own. |
        | ``act``         | What the act is in words, for the report; left out: the event. |

        The two seconds after the act are judged, by looking for each tenth of a second of what `Party Speaks On` let
        be said in what was recorded. Then the speech ends.

        Example:
        | `Audio Gaps Since`    govan-12    console.transfer    requirement=NICCS-TEL-014    figure=audio_gap_s |
        """  # noqa: E501 - a row of Robot's table is one line
        self._speak_on_first()
        speeches, self._speeches = self._speeches, ()
        bench = self.session.bench
        found = bench.journal.latest(component, event)
        if found is None:
            raise AssertionError(f"{event} did not happen on {component}: there is no act to look for gaps after")
        gaps: dict[str, Gap] = {}
        for speech in speeches:
            gaps |= self.session.run(gaps_since(speech, found.time, bench.journal))
        for ear, gap in gaps.items():
            name = f"audio gap at {ear} after {act or event}"
            logger.info(f"{name}: {gap.seconds} s, from {gap.begins} s on; {gap.heard:.0%} of the speech was heard")
            most = None if limit is None else limit.total_seconds()
            bench.measured(name, gap.seconds, "s", limit=most, requirement=requirement, figure=figure)
        return {ear: gap.seconds for ear, gap in gaps.items()}

    def _speak_on_first(self) -> None:
        if not self._speeches:
            raise AssertionError("nobody speaks on in this test: `Party Speaks On` comes first")
