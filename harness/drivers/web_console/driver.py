"""An operator position at a console in a browser: every act is done on the page, and what the page shows is journalled.

Theory. The driver is the console driver of the control interface with another hand and another eye. The hand does an
act's steps from the mapping by mouse and keyboard. The eye is a script in the page that tells each row's new state as
the mapping names it. What an act gives, a call's name for one, is taken from the event that shows it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.drivers.adapted_console import AdaptedConsole
from harness.drivers.console import ANSWERS_WITHIN, PermitRadio
from harness.drivers.console_calls import PermitDial
from harness.drivers.jack import open_jack
from harness.drivers.waiting import first_that
from harness.drivers.web_console.audit import Barrier, barriers
from harness.drivers.web_console.mapping import Act, Pages, Press, filled
from harness.endpoints.media import MediaService
from harness.errors import DriverError
from harness.journal import Event
from harness.transport.context import Context

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
"""Programs that are looked for, in this order."""
MAX_DATA: Final = 30
"""Values of an event that a page shows."""
MAX_TEXT: Final = 2_000
"""Characters of such a value."""
_WATCH: Final = Path(__file__).with_name("watch.js")


class WebConsole(AdaptedConsole):
    """A console in a browser. Beside what its mapping names it journals ``console.refused`` {reason}."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        name: str,
        position: str,
        *,
        url: str,
        pages: Pages,
        permit_dial: PermitDial,
        permit_radio: PermitRadio,
    ) -> None:
        super().__init__(context, media, name, position, permit_dial=permit_dial, permit_radio=permit_radio)
        self._url = url
        self._pages = pages
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._page: Page

    @classmethod
    async def open_page(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        url: str,
        position: str,
        pages: Pages,
        audio: str = "rtp",
        permit_dial: PermitDial,
        permit_radio: PermitRadio,
    ) -> WebConsole:
        """Open the console at ``url`` (``https://host``) in a browser and log in at ``position``.

        Raises DriverError where there is no browser, or the page does not do what the mapping says.
        """
        console = cls(
            context, media, name, position, url=url, pages=pages, permit_dial=permit_dial, permit_radio=permit_radio
        )
        try:
            await console._begin(audio)
        except BaseException:
            await console.close()
            raise
        return console

    async def _begin(self, audio: str) -> None:
        try:
            from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - only this driver needs it
        except ImportError as error:
            raise DriverError(f"{self.name}: 'driver: web' needs the package playwright") from error
        program = next((path for each in BROWSERS if (path := shutil.which(each)) is not None), None)
        if program is None:
            raise DriverError(f"{self.name}: 'driver: web' needs a browser: none of {', '.join(BROWSERS)} is installed")
        self._playwright = await async_playwright().start()
        try:
            self._browser = await self._playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            self._page = await self._browser.new_page()
            self._page.set_default_timeout(ANSWERS_WITHIN * 1000)
            await self._page.goto(self._url + self._pages.open.replace("{position}", self.position))
            await self._page.wait_for_selector(self._pages.ready)
            await self._page.expose_function("iccsShown", self._told)
            rules = [each.model_dump(by_alias=True) for each in self._pages.shows]
            await self._page.evaluate(_WATCH.read_text(encoding="utf-8"), [rules, self._pages.refused])
        except Error as error:
            raise DriverError(f"{self.name}: no console at {self._url}: {_first_line(error)}") from error
        await self.log_in(None)
        jack = await self._jack_at(audio)
        self._jack = None if jack is None else await open_jack(self._context, self._media, self.name, jack)

    async def _jack_at(self, audio: str) -> str | None:
        place = self._pages.jack
        if audio != "rtp" or place is None:
            return None if audio == "rtp" else audio
        found = await self._page.query_selector(place.css)
        text = None
        if found is not None:
            text = await (found.get_attribute(place.attribute) if place.attribute else found.text_content())
        if not text:
            raise DriverError(
                f"{self.name}: the page tells no headset's jack at {place.css!r}: say 'audio' in the testbed"
            )
        return text.strip()

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        """The page shows something. The page is the ICCS's: what it tells is bounded."""
        kept = {key: value for key, value in list(data.items())[:MAX_DATA] if isinstance(value, int | str)}
        kept = {key: value[:MAX_TEXT] if isinstance(value, str) else value for key, value in kept.items()}
        self.shows(str(kind)[:80], kept)

    async def act(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Press what the mapping says. Raises DriverError where it says nothing, or the page refuses."""
        act = self._pages.acts.get(name)
        if act is None:
            raise DriverError(f"{self.name}: the mapping of this web console has no {name!r}")
        return await self._press(name, act, dict(given))

    async def _press(self, name: str, act: Act, given: dict[str, Any]) -> dict[str, Any]:
        from playwright.async_api import Error  # noqa: PLC0415 - only this driver needs it

        after = self._journal.position
        if name == "answer" and not given and "answer_next" in self._pages.acts:
            act = self._pages.acts["answer_next"]
        elif name == "answer":
            given = self._which_call(given)
        try:
            for step in act.do:
                await self._step(step, given)
            if act.done is not None:
                await self._page.wait_for_selector(act.done)
        except KeyError as error:
            raise DriverError(f"{self.name}: {name} needs {error} on this console") from error
        except Error as error:
            refused = self._journal.find(self.name, "console.refused", after=after)
            reason = refused.data["reason"] if refused is not None else _first_line(error)
            raise DriverError(f"{self.name}: {name} was refused: {reason}") from error
        for key, kind in act.gives.items():
            return {key: await self._given(name, act, key, kind, after)}
        return {}

    async def _step(self, step: Press, given: dict[str, Any]) -> None:
        def css(text: str) -> str:
            return filled(text, given, selector=True)

        page = self._page
        if step.click is not None:
            await page.click(css(step.click))
        elif step.fill is not None:
            await page.fill(css(step.fill), filled(step.with_ or "", given, selector=False))
        elif step.choose is not None:
            await page.select_option(css(step.choose), filled(step.with_ or "", given, selector=False))
        elif step.press is not None:
            await page.hover(css(step.press))
            await page.mouse.down()
        else:
            await page.mouse.up()

    def _which_call(self, given: dict[str, Any]) -> dict[str, Any]:
        """The call that is taken: the one named, else the oldest of the queue that rings here by what was shown."""
        if given.get("call") is not None:
            return given
        ringing: dict[str, str] = {}
        for event in self._journal:
            if event.source == self.name and event.kind.startswith("call."):
                call = str(event.data.get("call"))
                if event.kind == "call.ringing":
                    ringing[call] = str(event.data.get("queue"))
                else:
                    ringing.pop(call, None)
        wanted = given.get("queue")
        found = next((call for call, queue in ringing.items() if wanted in (None, queue)), None)
        if found is None:
            raise DriverError(f"{self.name}: no call rings here" + (f" on queue {wanted}" if wanted else ""))
        return {**given, "call": found}

    async def _given(self, name: str, act: Act, key: str, kind: str, after: int) -> Any:
        """What an act gives, once the page shows it. Raises DriverError where the page refuses it, or shows nothing."""

        def ours(event: Event) -> bool:
            refused = event.kind == "console.refused"
            return refused or (event.kind == kind and (act.by is None or event.data.get(act.by) == self.position))

        try:
            found = await first_that(self._journal, self.name, ours, within=ANSWERS_WITHIN, after=after)
        except TimeoutError:
            told = f"no {kind} was shown within {ANSWERS_WITHIN:g} s"
            raise DriverError(f"{self.name}: {name}: {told}") from None
        if found.kind == "console.refused":
            raise DriverError(f"{self.name}: {name} was refused: {found.data['reason']}")
        return found.data[key]

    async def audit(self) -> list[Barrier]:
        """What the page, as it stands now, breaks of WCAG 2.2 AA, as far as a tool tells. Raises DriverError."""
        return await barriers(self._page)

    async def close(self) -> None:
        """Log out where the mapping has that, and close the browser. Closing it again does nothing."""
        if "logout" not in self._pages.acts:
            self._logged_in = False
        await super().close()
        browser, self._browser = self._browser, None
        if browser is not None:
            await browser.close()
        playwright, self._playwright = self._playwright, None
        if playwright is not None:
            await playwright.stop()


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0]
