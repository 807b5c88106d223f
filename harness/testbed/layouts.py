"""Which tests a testbed of real equipment plays: those of the layouts (``fixtures/testbeds``) that it stands for.

Theory. Many tests need a room that is laid out so: these queues, these lines, these accounts. In CI they have a
simulated testbed of that layout. A real bench that is laid out alike, by the same names and numbers, says so in its
file, and they are played on it. What it has no component for is skipped by name, and so are tests of layouts that it
does not stand for: on simulators they would tell nothing of it.
"""

from __future__ import annotations

from harness.testbed.model import Testbed


def plays(testbed: Testbed, layout: str) -> bool:
    """Whether tests of a layout are played on this testbed, in real time, in place of the simulated one."""
    return layout in testbed.stands_for and bool(testbed.real())


def tells_nothing_of(testbed: Testbed, layout: str) -> str:
    """Why a test on a simulated testbed of its own is no evidence on this one; empty where all of it is simulated."""
    real = testbed.real()
    if not real:
        return ""
    return (
        f"played on simulators alone ({layout}), which tells nothing of {', '.join(real)}: where the real equipment is "
        f"laid out alike, name it in the testbed file: stands_for: [{layout}]"
    )


def lacking(testbed: Testbed, layout: Testbed) -> list[str]:
    """Return the components of a layout that the testbed has not, or has in another role: their tests are skipped."""
    there = {name: each.role for name, each in testbed.components.items()}
    return [name for name, each in layout.components.items() if there.get(name) != each.role]
