"""Keywords of the officer's radio and of speech over a talkgroup: TETRA, radio over IP and MCPTT by the same words."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from harness.drivers.mcptt import McpttRadio
from harness.drivers.private_caller import PrivateCaller
from harness.drivers.radio import RadioTerminal
from harness.drivers.talking_radio import Ability, TalkingRadio, needs
from harness.errors import NotApplicableError
from harness.keywords.base import Topic
from harness.protocols.tetra.lip import ShortLocation
from harness.testbed.clips import read_clip
from harness.testbed.conversation import Microphone, converse


class RadioKeywords(Topic):
    """What an officer does with a radio, and what it shows; what a technology cannot do is declared not applicable."""

    def _radio_of(self, name: str, *abilities: Ability) -> TalkingRadio:
        """The radio of whichever technology, where it has these abilities. Raises NotApplicableError."""
        radio = self.session.run(self.session.bench.radio(name))
        for ability in abilities:
            needs(radio.technology, ability)
        return radio

    def _terminal(self, name: str, ability: Ability) -> RadioTerminal:
        """The TETRA terminal, for what TETRA alone can do here. Raises NotApplicableError."""
        self._radio_of(name, ability)
        return self.session.run(self.session.bench.terminal(name))

    def _texting(self, name: str) -> RadioTerminal | McpttRadio:
        """The radio, where it can send texts. Raises NotApplicableError."""
        radio = self._radio_of(name, Ability.TEXTS)
        assert isinstance(radio, RadioTerminal | McpttRadio), f"{radio.technology} sends no texts"
        return radio

    def _caller(self, name: str) -> PrivateCaller:
        """The radio, where it can call another one. Raises NotApplicableError."""
        radio = self._radio_of(name, Ability.PRIVATE_CALLS)
        assert isinstance(radio, PrivateCaller), f"{radio.technology} calls no other radio"
        return radio

    @keyword
    def officer_switches_on(self, *terminals: str) -> None:
        """Opens each radio named and turns it to its talkgroup.

        | =Argument=   | =Description= |
        | ``terminals`` | Names of radios in the testbed file, of whichever technology. |

        Example:
        | `Officer Switches On`    officer |
        """
        for terminal in terminals:
            self._radio_of(terminal)

    @keyword
    def officer_keys(self, terminal: str, priority: int = 0) -> float:
        """Presses the key and waits until it is permitted; it is held until `Officer Lets Go`.

        | =Argument= | =Description= |
        | ``terminal`` | The radio's name in the testbed file, of whichever technology. |
        | ``priority`` | 0 to 15: 15 is an emergency, which on real equipment needs a dated permit. |

        Returns how long the permit took, in milliseconds.

        Example:
        | ${ms}    `Officer Keys`    officer |
        """
        radio = self._radio_of(terminal)
        after = self.session.bench.journal.position
        self.session.run(radio.key(priority=priority))
        granted = self.session.run(radio.expect("ptt.granted", within=0, after=after))
        return self.measure(f"ptt_grant {radio.technology}", float(granted.data["grant_ms"]))

    @keyword
    def officer_says(self, terminal: str, clip: str) -> None:
        """Keys, waits for the permit, speaks, and lets the key go after the last word.

        | =Argument= | =Description= |
        | ``terminal`` | The radio's name in the testbed file, of whichever technology. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Example:
        | `Officer Says`    handset-8    officer-reply |
        """
        self.session.run(self._radio_of(terminal).say(read_clip(clip)))

    @keyword
    def officer_hears_officer(self, terminal: str, talker: str, clip: str) -> float:
        """Lets one officer key, speak and let go, and checks that another's radio gives it.

        | =Argument= | =Description= |
        | ``terminal`` | Who hears: the radio's name in the testbed file. |
        | ``talker``   | Who talks: the name of a radio on the same talkgroup. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Returns mouth-to-ear latency in milliseconds.

        Example:
        | ${ms}    `Officer Hears Officer`    handset-9    handset-8    dispatch |
        """
        mouth, ear = self._radio_of(talker), self._radio_of(terminal)

        async def speak() -> float:
            await mouth.key()
            try:
                return (await converse(Microphone(mouth), ear, read_clip(clip))).latency.ms
            finally:
                await mouth.unkey()

        return self.measure(f"mouth_to_ear {mouth.technology}", self.session.run(speak()))

    @keyword
    def officer_is_shown_a_talker(self, terminal: str, within: timedelta = timedelta(seconds=1)) -> dict[str, Any]:
        """Waits until a radio shows that another talks, in whichever way its technology does; returns what it shows.

        | =Argument= | =Description= |
        | ``terminal`` | The radio's name in the testbed file. |
        | ``within``   | The most that it may take. |

        Example:
        | ${shown}    `Officer Is Shown A Talker`    handset-9    within=500 ms |
        """
        return self.expect(terminal, self._radio_of(terminal).talk_shown, within, {})

    @keyword
    def not_applicable(self, reason: str) -> None:
        """Ends the test as not applicable: what is tested has no such thing, and need not have. It is no pass.

        | =Argument= | =Description= |
        | ``reason`` | Why, for the report. |

        Example:
        | `Not Applicable`    this site has no radio of its own |
        """
        raise NotApplicableError(reason)

    @keyword
    def terminal_shows(
        self, terminal: str, event: str, within: timedelta = timedelta(seconds=1), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until a terminal shows something, and returns all that it shows of it.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``event``    | What it shows: ``talker.shown``, ``talker.ended``, ``voice.heard``, ``sds.received`` … |
        | ``within``   | The most that it may take. |
        | ``wanted``   | Values that it must show. |

        Example:
        | `Terminal Shows`    officer    talker.shown    within=500 ms    talkgroup=GD-OPS-1 |
        """
        return self.expect(terminal, event, within, wanted)

    @keyword
    def dispatcher_is_heard_at(self, console: str, terminal: str, clip: str) -> float:
        """Lets the dispatcher speak on the talkgroup that is keyed and checks that the terminal gives it.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file; it must hold the floor. |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Returns mouth-to-ear latency in milliseconds.

        Example:
        | ${ms}    `Dispatcher Is Heard At`    govan-31    officer    dispatch |
        """

        async def speak() -> float:
            bench = self.session.bench
            mouth, ear = await bench.console(console), await bench.terminal(terminal)
            return (await converse(mouth, ear.jack, read_clip(clip))).latency.ms

        return self.measure("mouth_to_ear dispatcher to officer", self.session.run(speak()))

    @keyword
    def officer_is_heard_at(self, terminal: str, console: str, clip: str) -> float:
        """Lets the officer key, speak and let go, and checks that the headset at a console gives it.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``console``  | The console's name in the testbed file. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Returns mouth-to-ear latency in milliseconds.

        Example:
        | ${ms}    `Officer Is Heard At`    officer    govan-31    officer-reply |
        """

        async def speak() -> float:
            bench = self.session.bench
            mouth, ear = await bench.terminal(terminal), await bench.console(console)
            await mouth.key()
            try:
                return (await converse(mouth.jack, ear.headset, read_clip(clip))).latency.ms
            finally:
                await mouth.unkey()

        return self.measure("mouth_to_ear officer to dispatcher", self.session.run(speak()))

    @keyword
    def officer_sends_status(self, terminal: str, status: int, to: str) -> None:
        """Sends a radio status of this force: a TETRA terminal to another radio, an MCPTT handset to a talkgroup.

        | =Argument= | =Description= |
        | ``terminal`` | The radio's name in the testbed file. |
        | ``status``   | Its number under ``statuses`` of the testbed file. |
        | ``to``       | The terminal or gateway that it goes to, by its name in the testbed file; or the talkgroup. |

        Example:
        | `Officer Sends Status`    officer    5    to=gateway-1 |
        """
        bench = self.session.bench
        value = bench.status_value(status)
        radio = self._radio_of(terminal, Ability.STATUS)
        if isinstance(radio, McpttRadio):
            self.session.run(radio.send_status(value, to=to))
            return
        self.session.run(self._terminal(terminal, Ability.STATUS).send_status(value, to=bench.issi(to)))

    @keyword
    def officer_sends_text(self, terminal: str, text: str, to: str) -> None:
        """Sends a text message: an SDS on TETRA, short data of MCData on MCPTT.

        | =Argument= | =Description= |
        | ``terminal`` | The radio's name in the testbed file. |
        | ``text``     | What to send. |
        | ``to``       | The terminal, gateway or handset that it goes to, by its name in the testbed file. |

        Example:
        | `Officer Sends Text`    officer    All in order    to=gateway-1 |
        """
        radio = self._texting(terminal)
        to_radio: Any = self.session.bench.radio_id(to)
        self.session.run(radio.send_text(text, to=to_radio))

    @keyword
    def officer_sends_text_with_report(self, terminal: str, text: str, to: str) -> str:
        """Sends a text message and waits for its delivery report.

        | =Argument= | =Description= |
        | ``terminal`` | The radio's name in the testbed file. |
        | ``text``     | What to send. |
        | ``to``       | The terminal, gateway or handset that it goes to, by its name in the testbed file. |

        Returns what the report says: ``0 (received)`` and the like on TETRA, ``delivered`` on MCPTT.

        Example:
        | ${report}    `Officer Sends Text With Report`    officer    All in order    to=gateway-1 |
        """
        radio = self._texting(terminal)
        to_radio: Any = self.session.bench.radio_id(to)
        return str(self.session.run(radio.send_text_reported(text, to=to_radio)).data["told"])

    @keyword
    def officer_sends_position(self, terminal: str, latitude: float, longitude: float, to: str) -> None:
        """Tells where a radio is; who gets it shows ``location.received``.

        A TETRA terminal sends a short location report (LIP). An MCPTT handset tells its server, of which the other asks
        it.

        | =Argument= | =Description= |
        | ``terminal``  | The radio's name in the testbed file. |
        | ``latitude``  | Degrees, north positive. |
        | ``longitude`` | Degrees, east positive. |
        | ``to``        | The terminal, gateway or handset that is to know, by its name in the testbed file. |

        Example:
        | `Officer Sends Position`    officer    55.8609    -4.2514    to=gateway-1 |
        """
        place = ShortLocation(longitude=longitude, latitude=latitude)
        radio = self._radio_of(terminal, Ability.POSITION)
        if isinstance(radio, McpttRadio):
            asks = self.session.run(self.session.bench.mcptt_terminal(to))
            self.session.run(radio.send_location(place))
            self.session.run(asks.ask_location(str(self.session.bench.radio_id(terminal))))
            return
        self.session.run(
            self._terminal(terminal, Ability.POSITION).send_location(place, to=self.session.bench.issi(to))
        )

    @keyword
    def officer_selects_talkgroup(self, terminal: str, talkgroup: str) -> None:
        """Turns a terminal to a talkgroup of the testbed file.

        | =Argument= | =Description= |
        | ``terminal``  | The terminal's name in the testbed file. |
        | ``talkgroup`` | The talkgroup's name in the testbed file. |

        Example:
        | `Officer Selects Talkgroup`    officer    GD-OPS-2 |
        """
        self.session.run(self._radio_of(terminal, Ability.SELECTION).select(talkgroup))

    @keyword
    def officer_presses_emergency_button(self, terminal: str) -> None:
        """Makes an emergency call on the talkgroup in use; whoever talks loses the floor.

        The key is held until `Officer Lets Go`. On real equipment this needs a dated permit in the testbed file.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Officer Presses Emergency Button`    officer |
        """
        self.session.run(self._radio_of(terminal).emergency())

    @keyword
    def officer_lets_go(self, terminal: str) -> None:
        """Lets the key of a terminal go.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Officer Lets Go`    officer |
        """
        self.session.run(self._radio_of(terminal).unkey())

    @keyword
    def officer_calls_officer(self, caller: str, called: str, duplex: bool = False) -> None:
        """Lets one radio call another of its technology, which answers.

        | =Argument= | =Description= |
        | ``caller`` | The calling radio's name in the testbed file. |
        | ``called`` | The called radio's name in the testbed file. |
        | ``duplex`` | Whether both talk at once; else the caller has the floor first. |

        Example:
        | `Officer Calls Officer`    officer    sergeant    duplex=True |
        """
        mouth, ear = self._caller(caller), self._caller(called)

        async def call() -> None:
            await asyncio.gather(ear.answer(), mouth.call(self.session.bench.radio_id(called), duplex=duplex))

        self.session.run(call())

    @keyword
    def officer_hangs_up(self, terminal: str) -> None:
        """Clears a radio's call of two.

        | =Argument= | =Description= |
        | ``terminal`` | The radio's name in the testbed file. |

        Example:
        | `Officer Hangs Up`    officer |
        """
        self.session.run(self._caller(terminal).hang_up())
