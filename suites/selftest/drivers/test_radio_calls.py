"""The radio terminal driver in calls of two, emergencies, delivery reports and places, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from harness.errors import DriverError, ExpectationError, InterlockError, PeiLocalError
from harness.protocols.tetra.lip import ShortLocation
from suites.selftest.drivers.test_radio import Field, virtually

OFFICER, SERGEANT = 4001234, 4001235


def test_an_officer_calls_another_who_answers_and_each_gets_the_floor_in_turn() -> None:
    async def main() -> None:
        field = await Field.up()
        issi, _ = await asyncio.gather(field.sergeant.answer(), field.officer.call(SERGEANT))
        assert issi == OFFICER
        await field.sergeant.expect("talker.shown", within=1, issi=OFFICER)
        with pytest.raises(DriverError, match="queued"):
            await field.sergeant.key_private()
        await field.officer.unkey_private()
        await field.officer.expect("talker.shown", within=1, issi=SERGEANT)
        await field.sergeant.hang_up()
        await field.officer.expect("call.ended", within=1, cause="1 (released by the user)")
        with pytest.raises(DriverError, match="no call of two"):
            await field.officer.key_private()

    virtually(main)


def test_a_call_that_is_let_ring_can_be_answered_later_and_one_that_is_over_can_not() -> None:
    async def main() -> None:
        field = await Field.up()
        calling = asyncio.create_task(field.officer.call(SERGEANT, duplex=True))
        await field.sergeant.expect("call.ringing", within=2, issi=OFFICER)
        await asyncio.sleep(5)
        assert await field.sergeant.answer() == OFFICER
        await calling
        await field.officer.hang_up()
        await field.sergeant.expect("call.ended", within=1)
        with pytest.raises(ExpectationError):
            await field.sergeant.answer(within=2)
        with pytest.raises(PeiLocalError, match=r"released: 13 \(expiry of timer\)"):
            await field.officer.call(SERGEANT)

    virtually(main)


def test_the_emergency_button_takes_the_floor_from_who_talks() -> None:
    async def main() -> None:
        field = await Field.up()
        await field.sergeant.key()
        await field.officer.emergency()
        await field.sergeant.expect("ptt.pre_empted", within=1)

    virtually(main)


def test_neither_a_call_nor_an_emergency_leaves_where_the_interlock_says_no() -> None:
    asked: list[tuple[str, str, int]] = []

    def permit(act: str, target: str, priority: int) -> None:
        asked.append((act, target, priority))
        raise InterlockError("no")

    async def main() -> None:
        field = await Field.up(permit)
        with pytest.raises(InterlockError):
            await field.officer.call(SERGEANT, priority=15)
        with pytest.raises(InterlockError):
            await field.officer.emergency()
        await asyncio.sleep(2)
        sent = [str(event.data["command"]) for event in field.context.journal if event.kind == "pei.command"]
        assert not [line for line in sent if line.startswith(("ATD", "AT+CTSDC", "AT+CTXD"))]

    virtually(main)
    assert asked == [("call", "4001235", 15), ("key", "2001", 15)]


def test_talking_in_a_call_of_two_is_asked_of_the_interlock_as_that_call() -> None:
    asked: list[tuple[str, str, int]] = []

    async def main() -> None:
        field = await Field.up(lambda act, target, priority: asked.append((act, target, priority)))
        await asyncio.gather(field.sergeant.answer(), field.officer.call(SERGEANT))
        await field.sergeant.expect("talker.shown", within=1)
        await field.officer.unkey_private()
        await field.sergeant.expect("talker.ended", within=1)
        asked.clear()
        await field.sergeant.key_private()
        assert asked == [("call", str(OFFICER), 0)]
        await field.sergeant.hang_up()
        await field.officer.expect("call.ended", within=1)
        asked.clear()
        await field.officer.key()
        assert set(asked) == {("key", "2001", 0)}

    virtually(main)


def test_a_driver_that_is_closed_leaves_no_call_of_two_behind() -> None:
    async def main() -> None:
        field = await Field.up()
        await asyncio.gather(field.sergeant.answer(), field.officer.call(SERGEANT, duplex=True))
        await field.officer.close()
        await field.sergeant.expect("call.ended", within=1, cause="1 (released by the user)")

    virtually(main)


def test_a_text_is_sent_with_its_delivery_report_and_one_that_nobody_takes_is_told() -> None:
    async def main() -> None:
        field = await Field.up()
        report = await field.officer.send_text_reported("on scene", to=SERGEANT)
        assert (report.data["told"], report.data["issi"]) == ("0 (received)", SERGEANT)
        with pytest.raises(DriverError, match="could not deliver the text to 4009999"):
            await field.officer.send_text_reported("anybody?", to=4009999)

    virtually(main)


def test_a_long_text_and_a_place_are_shown() -> None:
    async def main() -> None:
        field = await Field.up()
        text = "Two vehicles, the second across both lanes. " * 10
        assert await field.officer.send_long_text(text, to=SERGEANT)
        await field.sergeant.expect("sds.received", within=1, text=text)
        await field.officer.send_location(ShortLocation(longitude=-4.2514, latitude=55.8609), to=SERGEANT)
        shown = await field.sergeant.expect("location.received", within=1)
        assert (round(shown.data["lat"], 4), round(shown.data["lon"], 4)) == (55.8609, -4.2514)
        assert {"error_m", "speed_kmh", "direction_deg", "issi"} <= set(shown.data)

    virtually(main)
