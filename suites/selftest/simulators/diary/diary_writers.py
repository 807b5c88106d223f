"""Some writers in threads of a process of their own: each wants every slot. Prints those that they were given."""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simulators.diary import booking
from simulators.diary.booking import Wanted
from simulators.diary.refusals import TakenError
from simulators.diary.settings import DiarySettings
from simulators.diary.store import DiaryStore


def main() -> None:
    settings = DiarySettings.model_validate_json(Path(sys.argv[1]).read_text())
    writers, process, slots = int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    store = DiaryStore(settings, lambda: 1_772_000_000.0, lambda _kind, _data: None, virtual=False)
    together = threading.Barrier(writers)

    def want(number: int) -> list[str]:
        together.wait()
        got = []
        for start in slots:
            wanted = Wanted("a", start, "+447700900123")
            try:
                store.do_here(lambda desk, w=wanted, s=start: booking.book(desk, w, key=f"{process}:{number}:{s}"))  # type: ignore[misc]
            except TakenError:
                continue
            got.append(start)
        return got

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with ThreadPoolExecutor(writers) as threads:
        sys.stdout.write(json.dumps([each for got in threads.map(want, range(writers)) for each in got]))
    store.close()


if __name__ == "__main__":
    main()
