"""Plays a load in virtual time: parts that have nothing to do with each other, side by side in processes.

Theory. What comes of a load must not hang on how many cores there are. So it is cut into the same parts on every
machine: all calls, which share advisers, and talkgroups by GROUPS_A_PART, none of which hears another. Each part has a
virtual clock, a network and a seed of its own, made of replay's seed and its name, and journals to a hash of its own;
the journal of the whole is the parts' by time, and its hash is that of the parts' hashes in order.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import multiprocessing
import resource
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from heapq import merge
from pathlib import Path
from random import Random
from typing import Any, Final, TextIO, cast

from harness.journal import Event, Journal
from harness.scenario.load_model.model import Load, LoadFile
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop

GROUPS_A_PART: Final = 5
EVENTS_KEPT: Final = 2_000
"""Of a journal in memory; all of them go through the hash."""
CHUNK: Final = 1_000
"""Lines that are hashed at a time."""
LOOK_S: Final = 900.0
"""Virtual seconds between two looks at a part's memory and progress."""
TOLD_S: Final = 0.5
"""Seconds between two looks at how far all parts are."""
GC_RADIO: Final = (50_000, 20, 50)
"""Thresholds of the collector for a part of radio, which makes millions of objects that no cycle holds."""
GC_CALLS: Final = (700, 10, 4)
"""For the calls, of whose HTTP and SIP some does: the old are looked at more often than they are by default, 10 MiB of
memory for 0.3 s of a day."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a load."""

    name: str
    groups: range | None
    """Numbers of its talkgroups; None: the calls."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one part."""

    name: str
    came: Mapping[str, int]
    events: int
    sha256: str
    """Of its journal's lines."""
    memory_mib: tuple[float, ...]
    """What its process had resident, each quarter of an hour (virtual)."""
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the whole."""

    parts: tuple[Played, ...]

    @property
    def came(self) -> Counter[str]:
        """All parts' counts together."""
        total: Counter[str] = Counter()
        for part in self.parts:
            total.update(part.came)
        return total

    @property
    def events(self) -> int:
        """Events of the journal."""
        return sum(part.events for part in self.parts)

    @property
    def sha256(self) -> str:
        """The journal's hash: of the lines ``NAME HASH`` of the parts, in order."""
        lines = "".join(f"{part.name} {part.sha256}\n" for part in self.parts)
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def grown_mib(self) -> float:
        """The most by which a part's process grew from a quarter of its time on, when every buffer is full."""
        return max(each.memory_mib[-1] - each.memory_mib[len(each.memory_mib) // 4] for each in self.parts)

    def problems(self, load: Load) -> list[str]:
        """What did not come about that the load has, in words."""
        came, found = self.came, []
        if came["presses"] != load.presses:
            found.append(f"{load.presses} presses were due, {came['presses']} were made")
        if came["failed"]:
            found.append(f"{came['failed']} presses were not granted")
        if came["unheard"]:
            found.append(f"{came['unheard']} times somebody on the talkgroup was not told who talks")
        for each in load.calls:
            placed = came[f"calls {each.number}"]
            if placed != each.calls:
                found.append(f"{each.calls} calls to {each.number} were due, {placed} were placed")
        if came["incidents that failed"]:
            found.append(f"{came['incidents that failed']} incidents could not be opened or closed")
        return found


def parts_of(load: Load) -> list[Part]:
    """The parts of a load, the same on every machine; the one that takes longest first."""
    parts = [Part("calls", None)] if load.calls else []
    groups = 0 if load.radio is None else load.radio.talkgroups
    for first in range(0, groups, GROUPS_A_PART):
        last = min(first + GROUPS_A_PART, groups)
        parts.append(Part(f"radio {first:03}-{last - 1:03}", range(first, last)))
    return parts


def play(
    file: LoadFile,
    testbed: Path,
    *,
    seed: int,
    workers: int,
    folder: Path | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> Result:
    """Play a load and return what came of it.

    ``workers``: processes. ``folder``: where each part's journal is written, as ``PART.jsonl``; `merged` puts them
    together. ``progress`` is told the share that is done, 0 to 1, now and then. Raises what a part raises; Ctrl-C ends
    all of them.
    """
    parts = parts_of(file.load)
    context = multiprocessing.get_context("spawn")
    done = context.Array("d", len(parts), lock=False)
    with ProcessPoolExecutor(workers, context, _begin, (done,)) as pool:
        futures: list[Future[Played]] = [
            pool.submit(_play, file.load, part, number, testbed, seed, folder) for number, part in enumerate(parts)
        ]
        try:
            left = set(futures)
            while left:
                ended, left = wait(left, TOLD_S, FIRST_COMPLETED)
                for each in ended:
                    each.result()
                progress(sum(done) / len(parts))
        except BaseException:
            for each in futures:
                each.cancel()
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        return Result(tuple(each.result() for each in futures))


_done: Any = None
"""In a worker: how far each part is, shared with whoever started it."""


def _begin(done: Any) -> None:
    global _done  # noqa: PLW0603 - what a pool's initialiser is for
    _done = done


def _play(load: Load, part: Part, number: int, testbed: Path, seed: int, folder: Path | None) -> Played:
    sink = _Sink(None if folder is None else (folder / f"{part.name}.jsonl").open("w", encoding="utf-8"))
    gc.set_threshold(*(GC_CALLS if part.groups is None else GC_RADIO))
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(seed)) as runner:
        played = runner.run(_run(load, part, number, testbed, seed, sink))
    sink.close()
    return Played(part.name, dict(sorted(played[0].items())), sink.lines, sink.hex(), tuple(played[1]), played[2])


async def _run(
    load: Load, part: Part, number: int, testbed: Path, seed: int, sink: _Sink
) -> tuple[Counter[str], list[float], float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    watch = _Watch(number, load.lasts_s)
    looks = asyncio.create_task(watch.run())
    own_seed = Random(f"{part.name} {seed}").randrange(2**31)
    try:
        if part.groups is None:
            came = await _calls(load, testbed, own_seed, sink)
        else:
            # Imported here, as with the calls: who starts the parts has no use for a network.
            from harness.scenario.load_model.radio import RadioPart  # noqa: PLC0415

            assert load.radio is not None, "it has talkgroups"
            loop = asyncio.get_running_loop()
            journal = Journal(loop.time, limit=EVENTS_KEPT, sink=cast(TextIO, sink))
            context = Context(journal, Random(own_seed))
            radio = RadioPart(context, load.radio, part.groups, seed=load.seed, network_seed=own_seed)
            await radio.play(load.lasts_s)
            came = radio.came
    finally:
        looks.cancel()
    watch.look(1.0)
    return came, watch.memory, resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


async def _calls(load: Load, testbed: Path, seed: int, sink: _Sink) -> Counter[str]:
    # Imported here, which takes a second: neither who starts the parts nor a process with radio has a use for it.
    from harness.scenario.load_model.calls import CallsPart  # noqa: PLC0415
    from harness.testbed.bench import open_bench  # noqa: PLC0415
    from harness.testbed.load import load_testbed  # noqa: PLC0415

    async with open_bench(
        load_testbed(testbed),
        today=date.today(),  # noqa: DTZ011 - a permit is dated by the tester's calendar
        addresses=None,
        virtual=True,
        seed=seed,
        auto_advisers=True,
        events=EVENTS_KEPT,
    ) as bench:
        for event in bench.journal:
            sink.event(event)
        bench.journal.subscribe(sink.event)
        part = CallsPart(bench, load)
        # What modules and a control room are made of stays to the end: the collector need not go through it each time.
        gc.collect()
        gc.freeze()
        try:
            await part.play()
        finally:
            gc.unfreeze()
        return part.came


class _Watch:
    """Looks at a part's memory and progress as its time goes by."""

    def __init__(self, number: int, lasts_s: float) -> None:
        self.memory: list[float] = []
        self._number = number
        self._lasts_s = lasts_s

    async def run(self) -> None:
        """Look every LOOK_S seconds of virtual time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            await asyncio.sleep(LOOK_S)
            self.look(min(1.0, (loop.time() - began) / self._lasts_s))

    def look(self, share: float) -> None:
        """Look once."""
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        self.memory.append(round(pages * resource.getpagesize() / 2**20, 2))
        if _done is not None:
            _done[self._number] = share


class _Sink:
    """Takes a journal's lines: hashes them, and writes them where there is a file."""

    def __init__(self, file: TextIO | None) -> None:
        self.lines = 0
        """Of those that are hashed."""
        self._file = file
        self._hash = hashlib.sha256()
        self._held: list[str] = []

    def write(self, text: str) -> int:
        """Take a line."""
        self._held.append(text)
        if len(self._held) >= CHUNK:
            self._put()
        return len(text)

    def event(self, event: Event) -> None:
        """Take an event."""
        self.write(event.line() + "\n")

    def _put(self) -> None:
        if not self._held:
            return
        text = "".join(self._held)
        self.lines += len(self._held)
        self._held.clear()
        self._hash.update(text.encode())
        if self._file is not None:
            self._file.write(text)

    def hex(self) -> str:
        """The hash of all that was taken."""
        self._put()
        return self._hash.hexdigest()

    def close(self) -> None:
        """Write out and close the file."""
        self._put()
        if self._file is not None:
            self._file.close()


def merged(folder: Path, load: Load) -> Iterator[str]:
    """The parts' journals as one, by time and then in the order of the parts, numbered anew; line by line."""
    files = [(folder / f"{part.name}.jsonl").open(encoding="utf-8") for part in parts_of(load)]
    try:
        rows = [_timed(file, number) for number, file in enumerate(files)]
        for seq, (_, _, _, rest) in enumerate(merge(*rows), 1):
            yield f'{{"seq":{seq},{rest}'
    finally:
        for file in files:
            file.close()


def _timed(file: TextIO, part: int) -> Iterator[tuple[float, int, int, str]]:
    """Time, part, and number within the part of each line, and the line from its time on."""
    for number, line in enumerate(file):
        rest = line[line.index(",") + 1 :]
        yield float(rest[len('"time":') : rest.index(",")]), part, number, rest
