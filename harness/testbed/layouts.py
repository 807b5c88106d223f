"""Which tests a testbed of real equipment plays: those of the layouts (``fixtures/testbeds``) that it stands for.

Theory. Many tests need a room that is laid out so: these queues, these lines, these accounts. In CI they have a
simulated testbed of that layout. A real bench that is laid out alike, by the same names and numbers, says so in its
file, and they are played on it. What it has no component for is skipped by name, and so are tests of layouts that it
does not stand for: on simulators they would tell nothing of it.
"""

from __future__ import annotations

from functools import cache

from harness.errors import NotPlayedError, TestbedError
from harness.testbed.components import Binding, IccsComponent
from harness.testbed.load import LAYOUTS, load_testbed
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


@cache
def _layout(name: str) -> Testbed:
    return load_testbed(LAYOUTS / f"{name}.yaml")


def laid_out(testbed: Testbed) -> Testbed:
    """Return what tells how the control room is laid out: which positions work which talkgroups, and by what.

    That is the testbed itself; where its ICCS is real, the first layout that it stands for which has an ICCS of that
    name, since of a real one the file tells addresses alone.
    """
    real = [
        name
        for name, each in testbed.components.items()
        if isinstance(each, IccsComponent) and each.binding is not Binding.SIMULATED
    ]
    for layout in testbed.stands_for if real else ():
        if all(isinstance(_layout(layout).components.get(name), IccsComponent) for name in real):
            return _layout(layout)
    return testbed


def lack(testbed: Testbed, told: str) -> TestbedError | NotPlayedError:
    """Return the error of what a testbed has not: a mistake where all is simulated; a real one is built bit by bit."""
    return NotPlayedError(told) if testbed.real() else TestbedError(told)


def lacking(testbed: Testbed, layout: Testbed) -> list[str]:
    """Return the components of a layout that the testbed has not, or has in another role: their tests are skipped."""
    there = {name: each.role for name, each in testbed.components.items()}
    return [name for name, each in layout.components.items() if there.get(name) != each.role]
