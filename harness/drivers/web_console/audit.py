"""An accessibility audit of a page by axe-core: what it breaks of WCAG 2.2, levels A and AA.

A tool finds a part of what WCAG asks for: contrast, names, roles, order of headings, size of targets. Whether the
keyboard reaches all, and whether what is told makes sense, a person has to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.errors import DriverError

if TYPE_CHECKING:
    from playwright.async_api import Page

WCAG_22_AA: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""axe-core's names for the rules of WCAG 2.2, levels A and AA."""
MAX_TEXT: Final = 300
"""Characters of an element that are told."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """One rule that an element breaks."""

    rule: str
    """axe-core's name of it: ``color-contrast``."""
    impact: str
    """``minor``, ``moderate``, ``serious`` or ``critical``."""
    criteria: tuple[str, ...]
    """The success criteria it belongs to, as axe-core tags them: ``wcag143`` is 1.4.3."""
    element: str
    """The element, as the page has it."""

    def __str__(self) -> str:
        return f"{self.rule} ({', '.join(self.criteria)}; {self.impact}): {self.element}"


async def barriers(page: Page) -> list[Barrier]:
    """What the page breaks as it stands now. Raises DriverError where axe-core is not installed, or does not run."""
    from playwright.async_api import Error  # noqa: PLC0415 - only a browser's driver needs it

    try:
        from axe_playwright_python.async_playwright import Axe  # noqa: PLC0415 - as above
    except ImportError as error:
        raise DriverError("an accessibility audit needs the package axe-playwright-python") from error
    try:
        found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": list(WCAG_22_AA)}})
    except Error as error:
        raise DriverError(f"axe-core could not look at {page.url}: {str(error).splitlines()[0]}") from error
    return [_barrier(each, node) for each in found.response["violations"] for node in each["nodes"]]


def _barrier(rule: dict[str, Any], node: dict[str, Any]) -> Barrier:
    criteria = tuple(tag for tag in rule["tags"] if tag.startswith("wcag") and tag not in WCAG_22_AA)
    return Barrier(rule["id"], str(rule["impact"]), criteria, str(node["html"])[:MAX_TEXT])
