"""The scenarios that can be played: those of a folder, and the workshop's copies beside them."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import PageError, ScenarioError
from harness.page.store import Store
from harness.page.tables import CopyRow
from harness.scenario.actors import ConsoleActor
from harness.scenario.cast import named_testbed
from harness.scenario.load import load_scenario, load_with_lines
from harness.scenario.model import Scenario
from harness.scenario.names import meant
from harness.source import MAX_FILE

MAX_SCENARIOS: Final = 500
"""Files of the folder that are read."""
MAX_CLIPS: Final = 10_000
"""WAV files beneath a folder of scenarios."""
MAX_PARTS_BYTES: Final = 16 * MAX_FILE
"""Bytes of the folder's files, together."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario of the folder."""

    scenario: Scenario
    file: Path


class Library:
    """Scenarios by id."""

    def __init__(self, folder: Path, store: Store) -> None:
        """Read the scenarios of ``folder``. Raises PageError where there is none, or more than the bounds allow."""
        self.folder, self._store = folder, store
        self.entries: dict[str, Entry] = {}
        self.testbeds: dict[str, Path] = {}
        """Testbeds that scenarios of the folder name, as they name them; copies can have these and no others."""
        self.broken: list[str] = []
        """What is wrong with files that can't be played."""
        files = sorted(folder.glob("*.yaml"))
        if not files:
            raise PageError(f"{folder}: found no scenario there; allowed: a folder with .yaml files")
        if len(files) > MAX_SCENARIOS:
            raise PageError(f"{folder}: found {len(files)} files; at most {MAX_SCENARIOS} are read")
        for file in files:
            self._take(file)
        self._scratch = tempfile.TemporaryDirectory(prefix="iccs-page-")
        self._copy_parts()

    def _take(self, file: Path) -> None:
        try:
            scenario, lines = load_with_lines(file)
            testbed = named_testbed(scenario, lines)
        except ScenarioError as error:
            self.broken.append(str(error))
            return
        if scenario.id in self.entries:
            self.broken.append(f"{file}: the id {scenario.id} is {self.entries[scenario.id].file.name}'s already")
            return
        self.entries[scenario.id] = Entry(scenario, file)
        if scenario.testbed is not None and testbed is not None:
            self.testbeds[scenario.testbed] = testbed

    def _copy_parts(self) -> None:
        """Put what scenarios include, and clips that lie beside them, where copies of them find it."""
        total = 0
        for file in self.folder.rglob("*.yaml"):
            if file.parent == self.folder or file.is_symlink():
                continue
            total += file.stat().st_size
            if total > MAX_PARTS_BYTES:
                raise PageError(f"{self.folder}: its included files have more than {MAX_PARTS_BYTES} bytes")
            there = Path(self._scratch.name) / file.relative_to(self.folder)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, there)
        for number, file in enumerate(self.folder.rglob("*.wav"), 1):
            if number > MAX_CLIPS:
                raise PageError(f"{self.folder}: found more than {MAX_CLIPS} WAV files")
            there = Path(self._scratch.name) / file.relative_to(self.folder)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(file.resolve())

    def checked(self, name: str, text: str) -> Scenario:
        """Return what ``text`` is; errors name it ``name``. Raises PageError, ScenarioError."""
        handle, path = tempfile.mkstemp(suffix=".yaml", dir=self._scratch.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            scenario, lines = load_with_lines(Path(path))
            if scenario.testbed is not None and scenario.testbed not in self.testbeds:
                told = f"testbed: found {scenario.testbed!r}, which no scenario of the server's folder names"
                raise ScenarioError(
                    lines.at(["testbed"]).error(f"{told}{meant(scenario.testbed, sorted(self.testbeds))}")
                )
            return scenario
        except ScenarioError as error:
            told = str(error).replace(path, name).replace(f"{self._scratch.name}{os.sep}", "")
            raise ScenarioError(told) from error
        except OSError as error:
            raise PageError(f"the disk took no file to check ({error.strerror}): make room, then try again") from error
        finally:
            Path(path).unlink(missing_ok=True)

    async def scenario(self, id_: str) -> Scenario:
        """Return a scenario, of the folder or a copy. Raises PageError where there is none that can be played."""
        if id_ in self.entries:
            return self.entries[id_].scenario
        return load_scenario(await self.find(id_))

    async def find(self, id_: str) -> Path:
        """Return the file of a scenario. Raises PageError where there is none that can be played."""
        if id_ in self.entries:
            return self.entries[id_].file
        row = await self._store.run(lambda session: session.get(CopyRow, id_[:60]))
        if row is None or row.text is None:
            raise PageError(f"there is no scenario {id_[:60]!r} that can be played")
        file = Path(self._scratch.name) / f"{row.name}.yaml"
        try:
            fresh = file.with_suffix(".new")
            fresh.write_text(row.text, encoding="utf-8", newline="")
            fresh.replace(file)
        except OSError as error:
            raise PageError(f"the disk took no copy of the scenario ({error.strerror}): make room") from error
        return file

    def text(self, id_: str) -> str | None:
        """The text of a scenario of the folder, or None."""
        entry = self.entries.get(id_)
        return None if entry is None else entry.file.read_text(encoding="utf-8-sig")

    def close(self) -> None:
        """Remove the copies' files; they are in the store."""
        self._scratch.cleanup()


def seats(scenario: Scenario) -> list[str]:
    """The actors whose seat a person can have."""
    return [name for name, actor in scenario.actors.items() if isinstance(actor, ConsoleActor)]
