"""Chromium at a playing: a trainee plays scenario 1 by the keyboard alone and is debriefed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, WebSocket, async_playwright, expect

from suites.selftest.page.play.play_server import ANNA, DOMESTIC, OFFICER, PICTURES, Server, serving
from suites.selftest.witness import need

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("Chromium")]
WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = [(1366, 768), (1920, 1080)]
QUIET = {b"\x08\x00", b"\xf8\xff", b"\x00\x00"}
"""Samples that A-law makes of silence."""
PLAYED = """() => new Promise((played) => {
  const replayed = document.getElementById("replayed");
  const look = () => { if (replayed.currentTime > 0.1) played(); };
  replayed.addEventListener("timeupdate", look);
  look();
})"""
"""Waits in the page until a tenth of a second was played; its policy allows no script that asks again and again."""


@asynccontextmanager
async def browsing(width: int, height: int) -> AsyncIterator[tuple[Server, BrowserContext, list[str]]]:
    """A server, a browser that Anna is signed in with, and the addresses elsewhere that it asks for."""
    path = need("chromium", package="chromium")
    async with serving() as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        try:
            context = await browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
            await context.add_cookies(
                [{"name": name, "value": value, "url": server.url} for name, value in server.cookie("anna").items()]
            )
            context.on("dialog", lambda _: elsewhere.append("a script of a name ran"))
            elsewhere: list[str] = []
            host = server.url.partition("//")[2]
            context.on(
                "request",
                lambda asked: (
                    None if host in asked.url or asked.url.startswith("data:") else elsewhere.append(asked.url)
                ),
            )
            yield server, context, elsewhere
        finally:
            await browser.close()


async def begun(server: Server, context: BrowserContext, seat: str, scenario: str) -> Page:
    page = await context.new_page()
    answer = await context.request.post(
        f"{server.url}/play",
        form=await server.form("anna", scenario=scenario, seat=seat),
        headers={"Origin": server.url},
    )
    assert answer.ok, await answer.text()
    await page.goto(answer.url)
    return page


async def violations(page: Page) -> list[str]:
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG_22_AA}})
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found.response["violations"]]


async def picture(page: Page, name: str) -> None:
    if PICTURES is not None:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png")


class Keyboard:
    """A person with a keyboard and nothing else."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def to(self, name: str) -> None:
        """Press Tab until what is called so has the focus."""
        for _ in range(120):
            await self.page.keyboard.press("Tab")
            found = await self.page.evaluate(
                """() => { const e = document.activeElement, label = e.labels && e.labels[0];
                return e.getAttribute('aria-label') || (label || e).innerText || '' }"""
            )
            if found.strip().startswith(name):
                return
        raise AssertionError(f"Tab does not get to {name!r}")

    async def press(self, name: str) -> None:
        await self.to(name)
        await self.page.keyboard.press("Enter")

    async def fill(self, name: str, text: str) -> None:
        await self.to(name)
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")


async def turn(page: Page, told: str, *, within_s: float = 60) -> None:
    await expect(page.locator("#turn-told")).to_contain_text(told, timeout=within_s * 1000)


@pytest.mark.parametrize(("width", "height"), SIZES[:1])
async def test_a_trainee_plays_scenario_1_by_the_keyboard_alone_and_is_debriefed(width: int, height: int) -> None:
    async with browsing(width, height) as (server, context, elsewhere):
        page = await begun(server, context, "call_taker", DOMESTIC)
        keys = Keyboard(page)
        await expect(page.locator("#begin")).to_be_enabled(timeout=60_000)
        assert await violations(page) == []
        await keys.press("Begin")
        await turn(page, "answer")
        await picture(page, "play-ringing")
        await keys.press("Answer emergency")
        await expect(page.locator("#calls li.connected")).to_be_visible()
        await turn(page, "say")
        await keys.press("Speak the phrase")
        await turn(page, "open incident")
        await keys.fill("What has happened", "Domestic in progress")
        await expect(page.locator("#incident")).to_contain_text("Domestic in progress")
        await keys.fill("Threat", "live, he is breaking the door")
        await keys.fill("Vulnerability", "two children upstairs")
        for factor in ("Harm", "Risk", "Investigation", "Engagement", "Rationale"):
            await keys.fill(factor, "as she tells it")
        await expect(page.locator("#thrive .recorded")).to_have_count(7)
        await keys.press("Give the grade")
        await expect(page.locator("#incident-lines")).to_contain_text("Immediate")
        await expect(page.locator("#places")).to_contain_text("AML", timeout=60_000)
        await picture(page, "play-incident")
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        await keys.press("Last half hour")
        await expect(page.locator("#replays li")).not_to_have_count(0)
        await keys.press("Play caller")
        await expect(page.locator("#replays-told")).to_have_text("")
        async with asyncio.timeout(20):
            await page.evaluate(PLAYED)
        assert await violations(page) == [], "with what can be replayed"
        assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        await keys.fill("Hand over to", "govan-31")
        await page.wait_for_url("**/debrief", timeout=120_000)
        await expect(page.locator("#ended")).to_have_text("passed")
        await expect(page.locator("#percent")).to_have_text("100 %")
        await expect(page.locator("#debrief")).to_contain_text("Vulnerability: recorded")
        assert await violations(page) == []
        await picture(page, "debrief")
        await page.keyboard.press("Tab")
        whose, attempt = server.attempts.kept[0]
        assert whose.name == ANNA and attempt.ended == "passed" and attempt.percent == 100.0
        assert elsewhere == [], "the page asks others for something"


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_every_function_of_a_dispatchers_console_is_reached_by_the_keyboard(width: int, height: int) -> None:
    async with browsing(width, height) as (server, context, elsewhere):
        page = await begun(server, context, "dispatcher", OFFICER)
        keys = Keyboard(page)
        await expect(page.locator("#begin")).to_be_enabled(timeout=60_000)

        # Folders of talkgroups, loudness, and several at once.
        await keys.press("Other talkgroups")
        await keys.press("Open Mutual aid")
        await keys.press("Open Scotland")
        await expect(page.locator("#folder-path")).to_have_text("Mutual aid / Scotland")
        await keys.press("Take PS-MA-1")
        await expect(page.locator("#talkgroups")).to_contain_text("PS-MA-1")
        await expect(page.locator("#folder-path")).to_have_text("All folders")
        await keys.press("Loudness")
        await keys.to("Loudspeaker")
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator('output[for="loudspeaker_db"]')).to_have_text("-3 dB")
        await keys.to("GD-OPS-2: talk, too")
        await page.keyboard.press("Space")
        await keys.to("Press to talk on")
        await expect(page.locator("#ptt")).to_have_text(re.compile("Press to talk on GD-OPS-[13], GD-OPS-2"))
        await page.keyboard.down("Enter")
        await expect(page.locator("#talkgroups li.granted")).to_have_count(2)
        await page.keyboard.up("Enter")
        await expect(page.locator("#talkgroups li.granted")).to_have_count(0)

        # The phone book: what is dialled from it is dialled, here a line that nobody has registered.
        await keys.press("Phone book")
        await keys.fill("Name, number or place", "vet")
        await expect(page.locator("#found-told")).to_have_text("1 found.")
        await keys.press("Dial Duty vet")
        await expect(page.locator("#trouble")).to_have_text("no telephone is registered as '01414960201'")

        # Calls and what is done in them.
        await keys.press("In the call")
        await expect(page.locator("#duty")).to_have_text(re.compile("available|on call"))
        for name in ("Keys", "Type to the caller", "Where the caller is", "No incident, because"):
            await keys.to(name)
        for name in ("Hold", "Resume", "Clear", "Pass on to the enquiry", "Join all", "Leave them", "Redial"):
            await keys.to(name)
        for name in ("Ask about the call", "Ring into the call", "Dial", "Go available", "Go on break"):
            await keys.to(name)
        for name in ("May leave", "Come back", "Keep the line", "Tag as nuisance"):
            await keys.to(name)
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        await picture(page, f"play-all-{width}")
        assert elsewhere == []


async def test_a_supervisor_listens_in_whispers_and_comes_in_by_the_keyboard() -> None:
    async with browsing(1366, 768) as (server, context, _):
        page = await begun(server, context, "supervisor", OFFICER)
        keys = Keyboard(page)
        await expect(page.locator("#begin")).to_be_enabled(timeout=60_000)
        await expect(page.locator("#oversight-told")).to_have_text("You listen in nowhere.")
        await keys.press("Begin")
        # When a step is done the others are at their positions.
        await expect(page.locator("#steps li")).not_to_have_count(0, timeout=60_000)
        for button, told in (("Listen", "listens"), ("Whisper", "whispers")):
            await keys.to("Position")
            await page.keyboard.type("govan-31")
            await keys.press(button)
            await expect(page.locator("#oversight-told")).to_have_text(f"govan-50 {told} at govan-31.")
            await keys.press("Stop")
            await expect(page.locator("#oversight-told")).to_have_text("You listen in nowhere.")
        await keys.to("Position")
        await page.keyboard.type("govan-31")
        await keys.press("Come in")
        await expect(page.locator("#trouble")).to_have_text("govan-31 has no call that is up")
        assert await violations(page) == []


@pytest.mark.parametrize(("width", "height"), SIZES[1:])
async def test_a_dispatcher_acknowledges_talks_by_the_space_bar_and_is_heard_and_hears(width: int, height: int) -> None:
    async with browsing(width, height) as (server, context, elsewhere):
        page = await begun(server, context, "dispatcher", OFFICER)
        heard = 0

        def came(socket: WebSocket) -> None:
            def count(frame: str | bytes) -> None:
                nonlocal heard
                heard += isinstance(frame, bytes) and any(
                    frame[i : i + 2] not in QUIET for i in range(0, len(frame), 2)
                )

            socket.on("framereceived", count)

        page.on("websocket", came)
        keys = Keyboard(page)
        await expect(page.locator("#begin")).to_be_enabled(timeout=60_000)
        await keys.press("Hear the headset")
        await keys.press("Begin")
        await expect(page.locator("#emergencies")).to_be_visible()
        assert await violations(page) == []
        await picture(page, "play-emergency")
        await keys.press("Acknowledge")
        await expect(page.locator("#emergencies")).to_contain_text("acknowledged by govan-31")
        await turn(page, "key GD-OPS-1")
        await page.locator("h1").click()
        await page.keyboard.down("Space")
        await expect(page.locator("#talkgroups li.granted")).to_be_visible()
        await expect(page.locator("#says")).to_have_text("The phrase is being said.")
        await expect(page.locator("#says")).to_have_text("", timeout=20_000)
        await page.keyboard.up("Space")
        await turn(page, "begin ambience")
        await keys.to("Radio (ISSI)")
        await page.keyboard.type("4001234")
        await page.keyboard.press("Enter")
        await expect(page.locator("#ambience")).to_contain_text("You listen in at 4001234")
        await turn(page, "end ambience")
        assert heard > 0, "what is said around the officer's microphone is heard in the browser"
        assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        await keys.press("Stop listening in")
        await turn(page, "key GD-OPS-1")
        await keys.press("End")
        await page.wait_for_url("**/debrief", timeout=60_000)
        await expect(page.locator("#ended")).to_have_text("abandoned")
        assert await violations(page) == []
        ((_, attempt),) = server.attempts.kept
        mine = [step.done for step in attempt.steps if step.due_s is not None]
        assert mine == ["done", "done", "done", "unscored", "done", "done"], attempt.steps
        wav = await context.request.get(page.url.replace("/debrief", "/heard.wav?at=0"))
        assert wav.ok and (await wav.body())[:4] == b"RIFF"
        assert elsewhere == [], "the page asks others for something"
