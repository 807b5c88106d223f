"""Keywords of a dispatcher's radio behind an ED-137 gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from harness.drivers.roip_radio import RoipRadio
from harness.errors import DriverError
from harness.keywords.base import Topic
from harness.protocols.ed137.extension import Ptt
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

_PTT = {each.name.lower(): each for each in Ptt if Ptt.OFF < each < Ptt.RESERVED_6}


class RoipKeywords(Topic):
    """What a dispatcher does with a radio over IP, and what it shows."""

    def _radio(self, name: str) -> RoipRadio:
        return self.session.run(self.session.bench.roip_radio(name))

    @keyword
    def roip_radio_is_set_up(self, *radios: str) -> None:
        """Sets up the session of each radio named: with the main one of its gateway, or with the standby.

        | =Argument= | =Description= |
        | ``radios`` | Names of components with role ``roip_radio`` in the testbed file. |

        Example:
        | `Roip Radio Is Set Up`    roip-radio |
        """
        for radio in radios:
            self._radio(radio)

    @keyword
    def dispatcher_keys_roip_radio(self, radio: str, ptt: str = "normal") -> float:
        """Presses the key and waits until the radio tells that it is keyed.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |
        | ``ptt``    | ``normal``, ``coupling``, ``priority``, ``emergency`` or ``test``. |

        Returns the time from the key to the radio's word in milliseconds. On a testbed with real equipment the safety
        interlock must allow the talkgroup; ``priority`` and ``emergency`` need a dated permit.

        Example:
        | ${ms}    `Dispatcher Keys Roip Radio`    roip-radio |
        """
        if ptt not in _PTT:
            raise DriverError(f"{radio}: no PTT is called {ptt!r}; there is {', '.join(_PTT)}")
        driver = self._radio(radio)
        after = self.session.bench.journal.position
        self.session.run(driver.key(_PTT[ptt]))
        granted = self.session.run(driver.expect("ptt.granted", within=0, after=after))
        return self.measure("ptt_grant roip", float(granted.data["grant_ms"]))

    @keyword
    def dispatcher_lets_roip_radio_go(self, radio: str) -> None:
        """Lets the key go and waits until the radio tells so.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |

        Example:
        | `Dispatcher Lets Roip Radio Go`    roip-radio |
        """
        self.session.run(self._radio(radio).unkey())

    @keyword
    def roip_radio_shows(
        self, radio: str, event: str, within: timedelta = timedelta(seconds=1), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until a radio shows something, and returns all that it shows of it.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |
        | ``event``  | What it shows: ``squelch.opened``, ``ptt.pre_empted``, ``station.changed``, ``radio.finding`` … |
        | ``within`` | The most that it may take. |
        | ``wanted`` | Values that it must show. |

        Example:
        | `Roip Radio Shows`    roip-radio    squelch.opened    within=500 ms |
        """
        return self.expect(radio, event, within, wanted)

    @keyword
    def roip_radio_is_heard_at(self, radio: str, terminal: str, clip: str) -> float:
        """Lets the dispatcher speak on a radio that is keyed and checks that an officer's terminal gives it.

        | =Argument= | =Description= |
        | ``radio``    | The radio's name in the testbed file; it must be keyed. |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Returns mouth-to-ear latency in milliseconds.

        Example:
        | ${ms}    `Roip Radio Is Heard At`    roip-radio    officer    dispatch |
        """

        async def speak() -> float:
            bench = self.session.bench
            mouth, ear = await bench.roip_radio(radio), await bench.terminal(terminal)
            return (await converse(mouth.jack, ear.jack, read_clip(clip))).latency.ms

        return self.measure("mouth_to_ear roip dispatcher to officer", self.session.run(speak()))

    @keyword
    def officer_is_heard_on_roip_radio(self, terminal: str, radio: str, clip: str) -> float:
        """Lets an officer key, speak and let go, and checks that the dispatcher's radio gives it.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file; it must be on the radio's talkgroup. |
        | ``radio``    | The radio's name in the testbed file. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Returns mouth-to-ear latency in milliseconds; the radio's side has no playout buffer.

        Example:
        | ${ms}    `Officer Is Heard On Roip Radio`    officer    roip-radio    officer-reply |
        """

        async def speak() -> float:
            bench = self.session.bench
            mouth, ear = await bench.terminal(terminal), await bench.roip_radio(radio)
            await mouth.key()
            try:
                return (await converse(mouth.jack, ear.jack, read_clip(clip))).latency.ms
            finally:
                await mouth.unkey()

        return self.measure("mouth_to_ear officer to roip dispatcher", self.session.run(speak()))

    @keyword
    def roip_radio_fails_over(self, radio: str) -> str:
        """Leaves the radio of the session for the standby, or back; returns the SIP URI of the one that has it then.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |

        Example:
        | ${uri}    `Roip Radio Fails Over`    roip-radio |
        """
        driver = self._radio(radio)
        self.session.run(driver.fail_over())
        return driver.station

    @keyword
    def roip_radio_delay(self, radio: str) -> float:
        """Asks the radio how long a packet takes to its antenna; returns milliseconds.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |

        Example:
        | ${ms}    `Roip Radio Delay`    roip-radio |
        """
        return self.measure("roip_delay", self.session.run(self._radio(radio).measure_delay()).total * 1000)
