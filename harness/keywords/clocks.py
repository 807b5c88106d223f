"""Keywords of the nodes' clocks: read by SNTP, held against a limit, set wrong where they are simulated."""

from __future__ import annotations

from datetime import timedelta

from robot.api.deco import keyword

from harness.keywords.base import Topic


class ClockKeywords(Topic):
    """The clocks of all nodes that tell their time."""

    @keyword
    def clocks_agree(self, within: timedelta) -> dict[str, float]:
        """Reads every node's clock and fails where one is farther off the reference; returns milliseconds by node.

        What can't be known of a clock counts against it. The reference is ``clock_reference`` of the testbed file, or
        the clock of the machine that tests.

        | =Argument= | =Description= |
        | ``within`` | The most that a clock may be off. |

        Example:
        | `Clocks Agree`    within=100 ms |
        """
        bench = self.session.bench
        found = self.session.run(bench.clock_skews())
        for skew in found:
            bench.measured(f"clock of {skew.node}", skew.worst_ms, "ms", limit=within.total_seconds() * 1000)
        return {skew.node: skew.skew_ms for skew in found}

    @keyword
    def clock_skew(self, node: str) -> float:
        """Returns how many milliseconds a node's clock is ahead of the testing machine's; below 0: behind.

        | =Argument= | =Description= |
        | ``node``   | The component's name in the testbed file. |

        Example:
        | ${skew}    `Clock Skew`    iccs |
        """
        found = self.session.run(self.session.bench.clocks().read(node))
        return round(found.offset_s * 1000, 3)

    @keyword
    def clock_is_set_wrong(self, node: str, by: timedelta) -> None:
        """Sets a simulated node's clock wrong; ``0 s`` sets it right.

        | =Argument= | =Description= |
        | ``node``   | The component's name in the testbed file. |
        | ``by``     | How far it is ahead; with a minus: behind. |

        Example:
        | `Clock Is Set Wrong`    radio    by=250 ms |
        """
        self.session.run(self.session.bench.clocks().set_skew(node, by.total_seconds() * 1000))
