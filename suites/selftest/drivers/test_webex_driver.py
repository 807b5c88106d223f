"""The Webex driver and its client: what they refuse to send, what they wait for, and what they tell nobody."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.drivers import tester
from harness.drivers.webex import Account, Webex
from harness.drivers.webex_calls import CLOCK_TOLD_S
from harness.drivers.webex_left import find
from harness.drivers.webex_meetings import RecordingsDue
from harness.drivers.webex_sign_in import Person, SigningIn
from harness.endpoints.webex import Integration, WebexClient, token_from
from harness.endpoints.webex.ledger import Ledger
from harness.endpoints.webex.migration import Migration
from harness.errors import (
    DriverError,
    ExpectationError,
    InterlockError,
    MigrationError,
    NotApplicableError,
    NotPlayedError,
    TestbedError,
    WebexError,
    WebexGoneError,
    WebexRefusedError,
)
from harness.evidence.progress import AtTheTerminal
from harness.protocols.times import to_iso
from harness.testbed.load import load_testbed
from harness.testbed.meeting_recordings import as_agreed
from harness.transport.context import Context
from simulators.calendar import clock_of
from simulators.web import WebServer
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

BACK = "http://127.0.0.1:9/signed-in"
ACCOUNTS = {
    "administrator": Account("admin@force.example", "ICCS_WEBEX_ADMIN", False),
    "operator": Account("operator@force.example", "ICCS_WEBEX_OPERATOR", False),
    "leaver": Account("officer@force.example", "ICCS_WEBEX_LEAVER", True),
}


def _no_dialling(number: str) -> None:
    raise InterlockError(f"dialling {number} is not allowed")


@asynccontextmanager
async def driver(
    *, virtual: bool = True, real: bool = False, read_only: bool = False, simulated: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Webex, WebexSimulator, Context]]:
    """A driver of a simulated Webex, which it takes for a real one where ``real``."""
    context = Context.create(seed=1)
    settings = WebexSettings.model_validate(simulated or {})
    simulator = await WebexSimulator.start(context, settings, virtual=virtual)
    webex = await Webex.open(
        context,
        "webex",
        service=simulator.url,
        accounts=ACCOUNTS,
        prefix="iccs-test-",
        read_only=read_only,
        permit=_no_dialling,
        clock=clock_of(context.journal, virtual=virtual),
        control=None if real else simulator.control_url,
    )
    try:
        yield webex, simulator, context
    finally:
        await webex.close()
        await simulator.stop()


@asynccontextmanager
async def server(answer: Callable[[Request], Response]) -> AsyncIterator[str]:
    """A service that answers every request so."""

    async def taken(request: Request) -> Response:
        return answer(request)

    app = Starlette(routes=[Route("/{path:path}", taken, methods=["GET", "POST", "DELETE"])])
    web = WebServer(app, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{await web.start()}"
    finally:
        await web.stop()


@pytest.mark.virtual_time
async def test_an_account_that_is_not_disabled_is_found_out() -> None:
    async with driver() as (webex, _simulator, _context):
        await webex.account("leaver")
        with pytest.raises(ExpectationError, match="is let in still"):
            await webex.expect_blocked("leaver", within=60)
        with pytest.raises(DriverError, match="no token that could be blocked"):
            await webex.expect_blocked("operator", within=60)


@pytest.mark.virtual_time
async def test_a_message_that_another_account_does_not_see_is_found_out() -> None:
    async with driver() as (webex, _simulator, _context):
        said = await webex.say(await webex.make_room("alone"), "x")
        with pytest.raises(ExpectationError, match="was refused with 404"):
            await webex.expect_message(said, by="operator", within=5)


@pytest.mark.virtual_time
async def test_a_number_that_is_not_allowed_is_not_dialled_and_without_a_switch_there_is_no_calling() -> None:
    async with driver() as (webex, _simulator, context):
        with pytest.raises(InterlockError, match="dialling 999"):
            await webex.dial("999", by="operator")
        with pytest.raises(WebexRefusedError, match="no Webex Calling"):
            await webex.expect_call("connected", by="operator", within=5)
        assert "webex.dialled" not in context.journal.lines()


@pytest.mark.virtual_time
async def test_what_was_made_is_taken_away_at_the_end_and_what_others_made_stays() -> None:
    async with driver() as (webex, simulator, context):
        admin = await webex.account()
        theirs = (await admin.ask("POST", "/rooms", {"title": "iccs of somebody"}))["id"]
        await webex.make_room("mine")
        assert [each.name async for each in find(admin, "iccs-test-", "administrator")] == ["iccs-test-mine"]
        await webex.tidy()
        assert [each["id"] async for each in admin.listed("/rooms")] == [theirs]
        for secret in (simulator.token, "@force.example"):
            assert secret not in context.journal.lines()
        assert "Bearer" not in repr(admin) and simulator.token not in repr(admin)


@pytest.mark.virtual_time
async def test_accounts_and_groups_that_were_made_are_found_by_their_prefix_and_taken_away() -> None:
    async with driver() as (webex, _simulator, context):
        admin = await webex.account()
        await webex.provision('Joiner "7"', by="administrator")
        await webex.make_group("Early", ["operator"], by="administrator")
        left = [each async for each in find(admin, "iccs-test-", "administrator")]
        assert [each.name for each in left] == ['iccs-test-Joiner "7"', "iccs-test-Early"]
        assert [each async for each in find(admin, 'iccs-test-"', "administrator")] == []
        operator = await webex.account("operator")
        assert [each async for each in find(operator, "iccs-test-", "operator")] == []
        await webex.tidy()
        assert [each async for each in find(admin, "iccs-test-", "administrator")] == []
        assert "joiner" not in context.journal.lines().lower(), "names come into no journal"


@pytest.mark.virtual_time
async def test_a_directory_that_does_not_do_as_it_was_told_is_found_out() -> None:
    async with driver() as (webex, _simulator, context):
        with pytest.raises(DriverError, match="has 0 users"):
            webex._accounts["leaver"] = Account("nobody@force.example", None, True)
            await webex.deactivate("leaver", by="administrator")
        with pytest.raises(WebexRefusedError, match=r"refused with 403.*ROUTERGW_"):
            await webex.deactivate("operator", by="operator")
        assert "webex.deactivated" not in context.journal.lines()


@pytest.mark.virtual_time
async def test_who_is_let_in_without_a_second_factor_is_told_so_and_a_code_is_given_once() -> None:
    settings = {"integrations": [{"client_id": "C", "client_secret": "s", "redirect_uri": BACK}]}
    account = {
        "email": "operator@force.example",
        "password": "right",
        "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    }
    people = {account["email"]: Person(account["password"], account["totp_secret"])}
    signing_in = SigningIn(Integration("C", BACK, ("spark:all",), "s"), people)
    for factor, asked in (("off", ("password",)), ("required", ("password", "one-time code"))):
        provider = {"accounts": [account], "second_factor": factor}
        async with driver(simulated=settings | {"sign_on": provider}) as (webex, _simulator, context):
            webex.signing_in = signing_in
            began = context.journal.now()
            entries = [await webex.sign_in("operator") for _time in range(2)]
            assert [each.factors for each in entries] == [asked] * 2
            assert (context.journal.now() - began >= 1) is (factor == "required"), "a code was given twice"
            assert all(each.seconds < 1 for each in entries), "the wait for a code is no part of signing in"
            assert "right" not in context.journal.lines()
            with pytest.raises(DriverError, match="leaver has no account"):
                await webex.sign_in("leaver")


async def test_at_a_real_identity_provider_signing_in_is_for_a_person_and_is_no_pass() -> None:
    async with driver(real=True, virtual=False) as (webex, _simulator, _context):
        with pytest.raises(NotApplicableError, match="by hand"):
            await webex.sign_in("operator")


async def test_a_read_only_webex_is_sent_nothing_that_would_change_it() -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.method)
        return JSONResponse({"items": []})

    async with server(answer) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(NotPlayedError, match=r"is read-only, and .* was not sent: .*'read_only: false'"):
                await client.ask(method, "/rooms/x", {"title": "x"})
        assert asked == []
        assert [each async for each in client.listed("/rooms")] == []
        assert asked == ["GET"]
        await client.close()


async def test_of_a_real_webex_no_account_is_disabled_that_is_not_disposable_and_no_room_written_in_that_is_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with driver(real=True, virtual=False) as (webex, simulator, _context):
        monkeypatch.setenv("ICCS_WEBEX_ADMIN", simulator.token)
        theirs = (await (await webex.account()).ask("POST", "/rooms", {"title": "x"}))["id"]
        with pytest.raises(InterlockError, match="disposable"):
            await webex.disable("operator")
        with pytest.raises(InterlockError, match="disposable"):
            await webex.deactivate("operator", by="administrator")
        with pytest.raises(InterlockError, match="was not made by this test"):
            await webex.say(theirs, "x")
        with pytest.raises(WebexError, match="set ICCS_WEBEX_OPERATOR in the environment"):
            await webex.account("operator")
        with pytest.raises(NotPlayedError, match="it is not made to fail from here"):
            await webex.fail()


@pytest.mark.virtual_time
async def test_a_busy_service_is_asked_again_after_the_wait_that_it_tells_and_given_up_in_the_end() -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()

    def answer(_request: Request) -> Response:
        times.append(loop.time())
        if len(times) == 3:
            return JSONResponse({"id": "x"})
        return JSONResponse({}, 429, {"Retry-After": "30" if len(times) < 3 else "61"})

    async with server(answer) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        assert await client.ask("GET", "/people/me") == {"id": "x"}
        assert [round(after - before) for before, after in pairwise(times)] == [30, 30]
        with pytest.raises(WebexGoneError, match="too busy for 61 s"):
            await client.ask("GET", "/people/me")
        await client.close()


@pytest.mark.virtual_time
async def test_a_service_that_was_too_busy_to_be_asked_is_told_beside_what_was_not_seen() -> None:
    async with driver(simulated={"requests_per_s": 1, "burst": 1}) as (webex, _simulator, _context):
        said = await webex.say(await webex.make_room("alone"), "x")
        with pytest.raises(ExpectationError, match=r"too busy \(429\) and had webex operator wait for \d+ s"):
            await webex.expect_message(said, by="operator", within=5)


REPORT = {
    "/v1/report/templates": {"items": [{"title": "Calling Quality", "Id": 1}]},
    "/v1/reports": {"items": {"Id": "R"}},
}


@pytest.mark.virtual_time
async def test_a_report_is_waited_for_and_had_from_another_host_only_where_that_may_have_the_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: Request) -> Response:
        path = request.url.path
        asked.append((request.method, path))
        if path == "/other.csv":
            return Response(f"Correlation ID,Name\nS,{request.headers.get('authorization')}\n")
        if path != "/v1/reports/R":
            return JSONResponse(REPORT[path])
        made = {"downloadURL": f"{other}/other.csv"} if asked.count(("GET", path)) > 2 else {}
        return JSONResponse({"items": [{"Id": "R", **made}]})

    async with server(answer) as other, server(answer) as url:
        monkeypatch.setenv("ICCS_WEBEX_ADMIN", "t")
        context = Context.create(seed=1)
        webex = await Webex.open(
            context,
            "webex",
            service=url,
            accounts=ACCOUNTS,
            prefix="iccs-test-",
            read_only=False,
            permit=_no_dialling,
            clock=clock_of(context.journal, virtual=True),
            control=None,
        )
        with pytest.raises(NotPlayedError, match=f"'reports: {other}'"):
            await webex.call_quality("S", within=60)
        assert ("GET", "/other.csv") not in asked and asked[-1] == ("DELETE", "/v1/reports/R")
        webex.reports_at = other
        assert await webex.call_quality("S", within=60) == [{"Correlation ID": "S", "Name": "Bearer t"}]
        await webex.close()


async def test_what_is_not_told_of_a_real_organisation_is_not_played() -> None:
    async with driver(real=True, virtual=False) as (webex, _simulator, _context):
        with pytest.raises(NotPlayedError, match=r"'webhooks: \{listen: HOST:PORT, url: https://…\}'"):
            webex.hooks_come_to()
        with pytest.raises(NotPlayedError, match=r"'teams: \{intact: …\}'"):
            webex.export(WAVE)
        webex.waves = (Path("mine.json"), None)
        assert webex.export(WAVE) == Path("mine.json")
        with pytest.raises(NotPlayedError, match=r"'teams: \{refused: …\}'"):
            webex.export(WAVE, refused=True)
        recording = {"createTime": "2026-01-01T00:00:00Z", "retentionUntil": "2026-01-31T00:00:00Z"}
        with pytest.raises(NotPlayedError, match=r"'recordings: \{region: …, kept_days: …\}'"):
            as_agreed(webex, recording | {"storageRegion": "UK"})
        webex.recordings_due = RecordingsDue("UK", 30 * 86_400.0)
        as_agreed(webex, recording | {"storageRegion": "UK"})
        with pytest.raises(NotPlayedError, match="tells no 'storageRegion' of a recording"):
            as_agreed(webex, recording)


async def test_a_call_that_a_broken_off_run_left_up_is_not_taken_for_one_of_this_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.time()
    calls = [
        {"callId": "left", "state": "connected", "created": to_iso(began - 30)},
        {"callId": "own", "state": "alerting", "created": to_iso(began + 1)},
    ]

    def answer(_request: Request) -> Response:
        return JSONResponse({"items": calls})

    async with server(answer) as url, driver(real=True, virtual=False) as (webex, _simulator, _context):
        webex._service = url
        monkeypatch.setenv("ICCS_WEBEX_OPERATOR", "t")
        assert (await webex.expect_call("alerting", by="operator", within=2))["callId"] == "own"
        with pytest.raises(ExpectationError, match="within 1 s, and has alerting"):
            await webex.expect_call("connected", by="operator", within=1)
        calls[1]["state"] = "connected"
        assert (await webex.expect_call("connected", by="operator", within=2))["callId"] == "own"


async def test_a_call_that_was_up_before_webex_was_first_asked_is_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    call = {"callId": "own", "state": "connected", "created": to_iso(time.time())}
    monkeypatch.setenv("ICCS_WEBEX_OPERATOR", "t")
    context = Context.create(seed=1)
    context.journal.record("operator-phone", "call.inviting")
    await asyncio.sleep(CLOCK_TOLD_S + 1.5)  # by no more than a second is the service's clock told too early
    async with server(lambda _request: JSONResponse({"items": [call]})) as url:
        webex = await Webex.open(
            context,
            "webex",
            service=url,
            accounts=ACCOUNTS,
            prefix="iccs-test-",
            read_only=True,
            permit=_no_dialling,
            clock=time.time,
            control=None,
        )
        assert (await webex.expect_call("connected", by="operator", within=2))["callId"] == "own"
        await webex.close()


async def test_a_token_that_serves_no_more_is_told_as_that() -> None:
    async with server(lambda _request: JSONResponse({"message": "no"}, 401)) as url:
        client = WebexClient("webex operator", url, "t", read_only=True)
        with pytest.raises(WebexRefusedError, match=r"401.*token serves no more"):
            await client.ask("GET", "/people/me")
        await client.close()


class Willing(tester.Tester):
    """Somebody who does this, whatever they are asked for."""

    def __init__(self, context: Context, act: Callable[[], None]) -> None:
        super().__init__(context, Path("/dev/null"), AtTheTerminal())
        self._act = act
        self.asked: list[str] = []

    async def does(self, name: str, what: str) -> None:
        self.asked.append(what)
        self._act()


async def test_a_leaver_whose_token_ended_gets_a_new_one_by_hand_and_else_is_not_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring: dict[str, str] = {}
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=lambda _service, name: ring.get(name)))
    async with driver(real=True, virtual=False) as (webex, simulator, context):

        def signs_in() -> None:
            issued = simulator.issue("officer@force.example", None, None)
            assert issued is not None
            ring["ICCS_WEBEX_LEAVER"] = issued.access_token

        monkeypatch.setenv("ICCS_WEBEX_ADMIN", simulator.token)
        signs_in()
        monkeypatch.setenv("ICCS_WEBEX_LEAVER", ring.pop("ICCS_WEBEX_LEAVER"))
        await webex.account("leaver")
        await webex.disable("leaver")
        await webex.expect_blocked("leaver", within=5)
        await webex.enable("leaver")
        with pytest.raises(NotPlayedError, match=r"'leaver' \(ICCS_WEBEX_LEAVER\) serves no more.*keyring set"):
            await webex.account("leaver")
        webex.tester = willing = Willing(context, signs_in)
        assert (await (await webex.account("leaver")).ask("GET", "/people/me"))["id"]
        await webex._forget("leaver")
        await webex.account("leaver")
        assert len(willing.asked) == 1, "who has a token that serves is asked for another one"
        assert "sign it in anew and put a new one into the keyring" in willing.asked[0]
        webex.tester = Willing(context, ring.clear)
        await webex.disable("leaver")
        await webex.enable("leaver")
        with pytest.raises(WebexError, match="no other one was found"):
            await webex.account("leaver")


async def test_a_page_that_points_elsewhere_is_not_followed_with_the_token() -> None:
    def answer(_request: Request) -> Response:
        return JSONResponse({"items": [{"id": "1"}]}, headers={"Link": '<http://a.example/v1/rooms>; rel="next"'})

    async with server(answer) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        with pytest.raises(WebexError, match="which is elsewhere"):
            [each async for each in client.listed("/rooms")]
        await client.close()


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [(500, b"<html>", "what is not JSON"), (200, b"{", "what is not JSON"), (403, b'{"message": "No"}', "403: No")],
)
async def test_what_a_service_answers_amiss_is_told(status: int, text: bytes, told: str) -> None:
    async with server(lambda _request: Response(text, status)) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        with pytest.raises(WebexError, match=told):
            await client.ask("GET", "/people/me")
        await client.close()


async def test_a_service_that_is_not_there_is_told_without_the_token() -> None:
    client = WebexClient("webex", "http://127.0.0.1:9", "s3cret-token", read_only=True)
    with pytest.raises(WebexGoneError) as raised:
        await client.ask("GET", "/people/me")
    assert "s3cret-token" not in str(raised.value)
    await client.close()


@pytest.mark.virtual_time
async def test_the_service_s_refusal_is_told_with_its_tracking_id() -> None:
    async with driver() as (webex, _simulator, _context):
        with pytest.raises(WebexRefusedError) as raised:
            await (await webex.account()).ask("GET", "/rooms/no-such-room")
        assert raised.value.status == 404 and raised.value.tracking.startswith("ROUTERGW_")


def test_a_token_is_had_from_the_environment_and_else_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyring:
        @staticmethod
        def get_password(service: str, user: str) -> str | None:
            return "kept" if (service, user) == ("iccs-webex", "B") else None

    monkeypatch.setattr("harness.endpoints.webex.secrets.import_module", lambda _name: Keyring)
    monkeypatch.setenv("A", "told")
    assert (token_from("A"), token_from("B")) == ("told", "kept")
    with pytest.raises(WebexError, match="keyring set iccs-webex C"):
        token_from("C")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"accounts": "{operator: {email: operator@force.example}}"}, "needs an 'administrator'"),
        ({"binding": "real"}, "a real webex needs 'service'"),
        ({"binding": "real", "service": "https://webexapis.com"}, "without it: administrator"),
        ({"service": "https://webexapis.com"}, "'service': for a real webex"),
        ({"accounts": "{administrator: {email: nobody@force.example}}"}, "has nobody with the email"),
        ({"prefix": "''"}, "prefix"),
    ],
)
def test_what_is_wrong_in_the_testbed_file_is_named(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    whole = {"role": "webex", "accounts": "{administrator: {email: admin@force.example}}"} | fields
    file = tmp_path / "test.yaml"
    file.write_text(
        f"name: t\ncomponents:\n  webex: {{{', '.join(f'{key}: {each}' for key, each in whole.items())}}}\n"
    )
    with pytest.raises(TestbedError) as raised:
        load_testbed(file)
    assert told in str(raised.value)


def test_a_real_webex_is_only_read_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    text = (
        "name: t\ncomponents:\n  webex: {role: webex, binding: real, service: 'https://webexapis.com', "
        "accounts: {administrator: {email: a@b.example, token_variable: ICCS_WEBEX_TOKEN}}%s}\n"
    )
    for more, only_read in (("", True), (", read_only: false", False)):
        file.write_text(text % more)
        component = load_testbed(file).components["webex"]
        assert component.role == "webex" and component.only_read is only_read


WAVE = Path(__file__).parents[3] / "fixtures" / "migration" / "teams-wave.json"


def _wave(tmp_path: Path, *others: tuple[str, str]) -> Path:
    """The wave without its meetings, for which there is no switch here; with words replaced."""
    told = json.loads(WAVE.read_text(encoding="utf-8"))
    for user in told["users"]:
        user["events"] = []
    text = json.dumps(told)
    for word, other in others:
        text = text.replace(word, other)
    file = tmp_path / "wave.json"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "others",
    [
        (),
        (("iccs-test-teams-wave-1", "Wave 1"),),
        (("iccs-test-morven@", "morven@"),),
        (("iccs-test-Locksmith", "Locksmith"),),
    ],
)
async def test_in_a_real_organisation_nobody_elses_are_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: tuple[tuple[str, str], ...]
) -> None:
    async with driver(real=True) as (webex, simulator, _context):
        monkeypatch.setenv("ICCS_WEBEX_ADMIN", simulator.token)
        with pytest.raises(InterlockError, match="nothing was sent"):
            await webex.migrate(_wave(tmp_path, *others), tmp_path / "ledger")
        assert not (tmp_path / "ledger").exists()


async def test_what_a_test_migrated_is_gone_when_it_ends_and_of_accounts_that_were_there_only_what_they_got(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with driver(real=True) as (webex, simulator, _context):
        monkeypatch.setenv("ICCS_WEBEX_ADMIN", simulator.token)
        before = await webex.census()
        wave = await webex.migrate(
            _wave(tmp_path, ("desk@force.example", "officer@force.example"), ('"2003"', '"2002"')), tmp_path / "ledger"
        )
        await webex.expect_migrated(wave)
        await webex.tidy()
        await webex.expect_as_before(before)


async def test_a_namesake_that_others_made_since_is_no_migrations_to_take_back(tmp_path: Path) -> None:
    async with driver() as (webex, _simulator, _context):
        await webex.migrate(_wave(tmp_path), tmp_path / "ledger")
        client = await webex.account()
        scim = await client.scim()
        [made] = await webex.users('userName eq "iccs-test-morven@force.example"', by="administrator")
        await client.ask("DELETE", f"{scim}/Users/{made['id']}")
        other = {key: made[key] for key in ("schemas", "userName", "userType", "displayName")}
        again = await client.ask("POST", f"{scim}/Users", other)
        await webex.roll_back(tmp_path / "ledger")
        left = await webex.users('userName sw "iccs-test-"', by="administrator")
        assert [each["id"] for each in left] == [again["id"]]


async def test_a_ledger_of_another_organisation_is_not_rolled_back(tmp_path: Path) -> None:
    async with driver() as (webex, _simulator, _context):
        ledger = Ledger.begin(tmp_path / "ledger", "another", "wave")
        ledger.intend("users", emails=["operator@force.example"])
        before = await webex.census()
        with pytest.raises(MigrationError, match="another organisation"):
            await webex.roll_back(ledger.path)
        await webex.expect_as_before(before)


LATE = "iccs-test-late@force.example"


class Late(WebexClient):
    """A service that makes a user whom it was asked for earlier just before it is looked again, so many times."""

    times = 0
    looks = 0
    made = 0

    async def found(self, path: str, looked_for: str = "", *, most: int = 100_000) -> AsyncIterator[dict[str, Any]]:
        self.looks += 1
        if self.looks % 2 == 0 and self.made < self.times:
            self.made += 1
            core = "urn:ietf:params:scim:schemas:core:2.0:User"
            body = {"schemas": [core], "userName": LATE, "userType": "user", "displayName": "Late"}
            await self.ask("POST", path, body)
        async for each in super().found(path, looked_for, most=most):
            yield each


@pytest.mark.parametrize(("times", "left"), [(1, 0), (5, 1)])
async def test_a_request_that_the_service_does_late_is_taken_back_too_or_is_told(
    tmp_path: Path, times: int, left: int
) -> None:
    async with driver() as (webex, simulator, _context):
        client = Late("webex", simulator.url, simulator.token, read_only=False)
        client.times = times
        try:
            organisation = str((await client.ask("GET", "/people/me"))["orgId"])
            ledger = Ledger.begin(tmp_path / "ledger", organisation, "wave")
            ledger.intend("users", emails=[LATE])
            migration = Migration(client, await client.scim(), ledger, lambda _step: None)
            if left:
                with pytest.raises(MigrationError, match="there is still something") as told:
                    await migration.roll_back()
                assert told.value.rolled_back is False
            else:
                await migration.roll_back()
        finally:
            await client.close()
        assert client.made == min(times, 3)
        assert len(await webex.users(f'userName eq "{LATE}"', by="administrator")) == left
