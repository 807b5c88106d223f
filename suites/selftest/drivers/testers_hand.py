"""A tester's hand: a pseudo-terminal at which what is asked is read, and done or answered."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

Reaction = Callable[[], Coroutine[Any, Any, Any]] | str


class Hand:
    """Whoever sits at the terminal: reads what is asked, and does or types what ``answers`` says of it."""

    def __init__(self, master: int, answers: dict[str, Reaction]) -> None:
        self.read = ""
        self._master, self._answers = master, answers
        self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        seen = 0
        while True:
            ready = asyncio.Event()
            loop.add_reader(self._master, ready.set)
            try:
                await ready.wait()
            finally:
                loop.remove_reader(self._master)
            self.read += os.read(self._master, 4096).decode()
            while (end := self.read.find("\n", seen)) >= 0:
                line, seen = self.read[seen:end], end + 1
                for asked, reaction in self._answers.items():
                    if asked in line:
                        if isinstance(reaction, str):
                            os.write(self._master, reaction.encode() + b"\n")
                        else:
                            await reaction()

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@contextmanager
def pty() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        yield master, os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)
