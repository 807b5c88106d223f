"""Keywords of a radio that a control line keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from harness.drivers.keyed_radio import KeyedRadio
from harness.keywords.base import Topic


class KeyedRadioKeywords(Topic):
    """What is done with a radio behind control lines, and what its lines show."""

    def _lines(self, name: str) -> KeyedRadio:
        return self.session.run(self.session.bench.keyed_radio(name))

    @keyword
    def keyed_radio_is_set_up(self, *radios: str) -> None:
        """Opens the lines of each radio named, its key at rest.

        Fails where they can't be had: a terminal server that carries no lines, or only says that it does, is named.

        | =Argument= | =Description= |
        | ``radios`` | Names of components with role ``keyed_radio`` in the testbed file. |

        Example:
        | `Keyed Radio Is Set Up`    vhf-1 |
        """
        for radio in radios:
            self._lines(radio)

    @keyword
    def key_line_goes_down(self, radio: str) -> None:
        """Keys the radio by its line. It is let go by itself after a minute.

        On a testbed with real equipment ``safety.key`` must name what the radio keys.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |

        Example:
        | `Key Line Goes Down`    vhf-1 |
        """
        self.session.run(self._lines(radio).key())

    @keyword
    def key_line_is_let_go(self, radio: str) -> None:
        """Lets the radio's key go.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |

        Example:
        | `Key Line Is Let Go`    vhf-1 |
        """
        self.session.run(self._lines(radio).unkey())

    @keyword
    def keyed_radio_receives(self, radio: str, receives: bool = True) -> None:
        """Lets a simulated radio receive, or no longer: its carrier-operated relay closes or opens.

        | =Argument=   | =Description= |
        | ``radio``    | The radio's name in the testbed file; it must be simulated. |
        | ``receives`` | ``False``: no longer. |

        Example:
        | `Keyed Radio Receives`    vhf-1 |
        | `Keyed Radio Receives`    vhf-1    ${False} |
        """
        self.session.run(self._lines(radio).set_carrier(receives))

    @keyword
    def footswitch_is_pressed(self, radio: str, down: bool = True) -> None:
        """Presses the footswitch at a simulated radio's port, or lets it go.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file; it must be simulated. |
        | ``down``   | ``False``: lets it go. |

        Example:
        | `Footswitch Is Pressed`    vhf-1 |
        """
        self.session.run(self._lines(radio).press_footswitch(down))

    @keyword
    def keyed_radio_shows(
        self, radio: str, event: str, within: timedelta = timedelta(seconds=1), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until a radio's lines show something, and returns all that is shown of it.

        | =Argument= | =Description= |
        | ``radio``  | The radio's name in the testbed file. |
        | ``event``  | ``carrier.up``, ``carrier.down``, ``footswitch.pressed``, ``footswitch.released``, ``line.stuck``, ``lines.lost`` …; of a simulated radio ``radio.keyed`` and ``radio.unkeyed`` as well. |
        | ``within`` | The most that it may take. |
        | ``wanted`` | Values that it must show. |

        Example:
        | `Keyed Radio Shows`    vhf-1    carrier.up    within=500 ms |
        """  # noqa: E501 - a row of Robot's table is one line
        return self.expect(radio, event, within, wanted)
