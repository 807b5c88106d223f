"""Keywords of the officer's radio terminal, and of speech over a talkgroup."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from harness.drivers.radio import RadioTerminal
from harness.keywords.base import Topic
from harness.protocols.tetra.lip import ShortLocation
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse


class RadioKeywords(Topic):
    """What an officer does with a terminal, and what it shows."""

    def _terminal(self, name: str) -> RadioTerminal:
        return self.session.run(self.session.bench.terminal(name))

    @keyword
    def officer_switches_on(self, *terminals: str) -> None:
        """Opens each terminal named and turns it to its talkgroup.

        | =Argument=   | =Description= |
        | ``terminals`` | Names of radio terminals in the testbed file. |

        Example:
        | `Officer Switches On`    officer |
        """
        for terminal in terminals:
            self._terminal(terminal)

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
        """Sends a radio status of this force.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``status``   | Its number under ``statuses`` of the testbed file. |
        | ``to``       | The terminal or gateway that it goes to, by its name in the testbed file. |

        Example:
        | `Officer Sends Status`    officer    5    to=gateway-1 |
        """
        bench = self.session.bench
        value = bench.status_value(status)
        self.session.run(self._terminal(terminal).send_status(value, to=bench.issi(to)))

    @keyword
    def officer_sends_text(self, terminal: str, text: str, to: str) -> None:
        """Sends an SDS text message.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``text``     | What to send. |
        | ``to``       | The terminal or gateway that it goes to, by its name in the testbed file. |

        Example:
        | `Officer Sends Text`    officer    All in order    to=gateway-1 |
        """
        self.session.run(self._terminal(terminal).send_text(text, to=self.session.bench.issi(to)))

    @keyword
    def officer_sends_text_with_report(self, terminal: str, text: str, to: str) -> str:
        """Sends an SDS text message and waits for its delivery report.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``text``     | What to send. |
        | ``to``       | The terminal or gateway that it goes to, by its name in the testbed file. |

        Returns what the report says, e.g. ``0 (received)``.

        Example:
        | ${report}    `Officer Sends Text With Report`    officer    All in order    to=gateway-1 |
        """
        issi = self.session.bench.issi(to)
        return str(self.session.run(self._terminal(terminal).send_text_reported(text, to=issi)).data["told"])

    @keyword
    def officer_sends_position(self, terminal: str, latitude: float, longitude: float, to: str) -> None:
        """Sends a short location report (LIP); who gets it shows ``location.received``.

        | =Argument= | =Description= |
        | ``terminal``  | The terminal's name in the testbed file. |
        | ``latitude``  | Degrees, north positive. |
        | ``longitude`` | Degrees, east positive. |
        | ``to``        | The terminal or gateway that it goes to, by its name in the testbed file. |

        Example:
        | `Officer Sends Position`    officer    55.8609    -4.2514    to=gateway-1 |
        """
        place = ShortLocation(longitude=longitude, latitude=latitude)
        self.session.run(self._terminal(terminal).send_location(place, to=self.session.bench.issi(to)))

    @keyword
    def officer_selects_talkgroup(self, terminal: str, talkgroup: str) -> None:
        """Turns a terminal to a talkgroup of the testbed file.

        | =Argument= | =Description= |
        | ``terminal``  | The terminal's name in the testbed file. |
        | ``talkgroup`` | The talkgroup's name in the testbed file. |

        Example:
        | `Officer Selects Talkgroup`    officer    GD-OPS-2 |
        """
        self.session.run(self._terminal(terminal).select(talkgroup))

    @keyword
    def officer_presses_emergency_button(self, terminal: str) -> None:
        """Makes an emergency call on the talkgroup in use; whoever talks loses the floor.

        The key is held until `Officer Lets Go`. On real equipment this needs a dated permit in the testbed file.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Officer Presses Emergency Button`    officer |
        """
        self.session.run(self._terminal(terminal).emergency())

    @keyword
    def officer_lets_go(self, terminal: str) -> None:
        """Lets the key of a terminal go.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Officer Lets Go`    officer |
        """
        self.session.run(self._terminal(terminal).unkey())

    @keyword
    def officer_calls_officer(self, caller: str, called: str, duplex: bool = False) -> None:
        """Lets one terminal call another, which answers.

        | =Argument= | =Description= |
        | ``caller`` | The calling terminal's name in the testbed file. |
        | ``called`` | The called terminal's name in the testbed file. |
        | ``duplex`` | Whether both talk at once; else the caller has the floor first. |

        Example:
        | `Officer Calls Officer`    officer    sergeant    duplex=True |
        """

        async def call() -> None:
            mouth, ear = await self.session.bench.terminal(caller), await self.session.bench.terminal(called)
            await asyncio.gather(ear.answer(), mouth.call(self.session.bench.issi(called), duplex=duplex))

        self.session.run(call())

    @keyword
    def officer_hangs_up(self, terminal: str) -> None:
        """Clears the calls of a terminal.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Officer Hangs Up`    officer |
        """
        self.session.run(self._terminal(terminal).hang_up())
