"""Simulators' HTTP interfaces do what their OpenAPI documents say, as schemathesis sees them."""

from __future__ import annotations

import pytest
from openapi import schemathesis_finds_nothing

from harness.transport.context import Context
from simulators.clocks.room import ClockRoom
from simulators.command_control.settings import CommandControlSettings, UnitSettings
from simulators.command_control.simulator import CommandControlSimulator
from simulators.crm.settings import CrmSettings
from simulators.crm.simulator import CrmSimulator
from simulators.diary.settings import DiarySettings
from simulators.diary.simulator import DiarySimulator
from simulators.directory.settings import DirectorySettings
from simulators.directory.simulator import DirectorySimulator
from simulators.records_database.settings import RecordsSettings
from simulators.records_database.simulator import RecordsSimulator
from simulators.sms.settings import SmsSettings
from simulators.sms.simulator import SmsSimulator


@pytest.mark.parametrize("shape", ["storm", "next_generation"])
async def test_command_and_control(shape: str) -> None:
    context = Context.create(seed=1)
    units = (UnitSettings(call_sign="G01", issi=4001234),)
    settings = CommandControlSettings.model_validate({"shape": shape, "units": units})
    simulator = await CommandControlSimulator.start(context, settings)
    try:
        # An EIDO is refused for what no JSON schema says: references that lead nowhere.
        eidos = ("--exclude-checks", "positive_data_acceptance") if shape == "next_generation" else ()
        await schemathesis_finds_nothing(simulator.link_url, *eidos)
        # A fault that it is told to have would be found as one.
        await schemathesis_finds_nothing(simulator.control_url, "--exclude-path", "/v1/fault")
    finally:
        await simulator.stop()


async def test_texts() -> None:
    simulator = await SmsSimulator.start(Context.create(seed=1), SmsSettings(), virtual=False)
    try:
        await schemathesis_finds_nothing(simulator.http_url)
    finally:
        await simulator.stop()


async def test_the_sms_diary() -> None:
    settings = DiarySettings.model_validate({"people": 20})
    simulator = await DiarySimulator.start(Context.create(seed=1), settings, virtual=False)
    try:
        # That a slot begins at a time, and that a time is there, is more than a schema says.
        await schemathesis_finds_nothing(simulator.url, "--exclude-checks", "positive_data_acceptance")
    finally:
        await simulator.stop()


async def test_crm() -> None:
    settings = CrmSettings(people=20)
    simulator = await CrmSimulator.start(Context.create(seed=1), settings, virtual=False)
    try:
        # What no JSON schema says: which digits are a number, which columns a file names, which codes a force has.
        ruled = ("/v1/contacts", "/v1/imports", "/v1/records/{record_id}/failure-demand")
        without = [word for path in ruled for word in ("--exclude-path", path)]
        await schemathesis_finds_nothing(simulator.url, *without)
        alone = [word for path in ruled for word in ("--include-path", path)]
        await schemathesis_finds_nothing(simulator.url, *alone, "--exclude-checks", "positive_data_acceptance")
        await schemathesis_finds_nothing(simulator.control_url, "--exclude-path", "/v1/fault")
    finally:
        await simulator.stop()


async def test_records_checks() -> None:
    simulator = await RecordsSimulator.start(Context.create(seed=1), RecordsSettings())
    try:
        # What a check's subject has to say goes by its kind, which no JSON schema of it says.
        checks = ("--exclude-path", "/v1/fault", "--exclude-checks", "positive_data_acceptance")
        await schemathesis_finds_nothing(simulator.url, *checks)
    finally:
        await simulator.stop()


async def test_the_directory() -> None:
    simulator = await DirectorySimulator.start(Context.create(seed=1), DirectorySettings())
    try:
        # An entry is refused for more than its schema says: an id, a number that can't be dialled.
        checks = ("--exclude-path", "/v1/fault", "--exclude-checks", "positive_data_acceptance")
        await schemathesis_finds_nothing(simulator.url, *checks)
    finally:
        await simulator.stop()


async def test_clocks() -> None:
    room = await ClockRoom.start(Context.create(seed=1), lambda: 0.0)
    await room.add("radio")
    try:
        await schemathesis_finds_nothing(room.control_url)
    finally:
        await room.stop()
