"""What of a run's evidence its report's one page holds: all of it, or, where a page can't, not the largest of it.

Allure writes a page that opens from the file system with all evidence in base64, in one string of JavaScript's, which
ends at 512 MiB; a browser gives up before. What a failure tells is kept in the page while anything else can go.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.evidence.attached import attachments_of
from harness.evidence.results import RESULT_BYTES
from harness.whole_file import write_whole

MIB: Final = 1024 * 1024
PAGE_BYTES: Final = 128 * MIB
"""Evidence that one page holds, before base64."""
_OWN: Final = ("-result.json", "-container.json")
_BAD: Final = frozenset({"failed", "broken"})


@dataclass(frozen=True, slots=True)
class ForThePage:
    """The results of which a page is to be made."""

    results: Path
    left_out: str = ""
    """What is told of evidence that is not in them; empty where all is."""


def for_one_page(results: Path, beside: Path) -> ForThePage:
    """Return results whose evidence fits into one page: those given, or a copy in a new folder `beside`.

    In the copy a note stands in the place of what is left out. Raises OSError.
    """
    sizes = {each.name: each.stat().st_size for each in os.scandir(results) if each.is_file(follow_symlinks=False)}
    evidence = {name: size for name, size in sizes.items() if not name.endswith(_OWN)}
    too_much = sum(evidence.values()) - PAGE_BYTES
    if too_much <= 0:
        return ForThePage(results)
    loaded = {name: _loaded(results / name) for name, size in sizes.items() if name.endswith(_OWN)}
    attached = {name: [_source(each) for each in attachments_of(node)] for name, node in loaded.items()}
    telling = {
        source
        for name, sources in attached.items()
        if isinstance(node := loaded[name], dict) and node.get("status") in _BAD
        for source in sources
    }
    gone: set[str] = set()
    for name in sorted(evidence, key=lambda name: (name in telling, -evidence[name])):
        if too_much <= 0:
            break
        gone.add(name)
        too_much -= evidence[name]
    beside.mkdir()
    for name in sizes.keys() - gone:
        if not gone.isdisjoint(attached.get(name, ())):
            _write_without(beside, name, loaded[name], {each: evidence[each] for each in gone}, results)
        else:
            _put(results / name, beside / name)
    return ForThePage(
        beside,
        f"{len(gone)} pieces of evidence, {sum(evidence[name] for name in gone) // MIB} MiB, are too much for one page "
        f"and are in {results} alone; each test names its own",
    )


def _write_without(folder: Path, name: str, node: Any, gone: dict[str, int], results: Path) -> None:
    for each in attachments_of(node):
        source = _source(each)
        if source in gone:
            note = f"{source}.txt"
            told = f"{gone[source]} bytes of {each.get('type')}, too much for this page: {results.name}/{source}\n"
            (folder / note).write_text(told, encoding="utf-8")
            each |= {"source": note, "type": "text/plain"}
    write_whole(folder / name, json.dumps(node, ensure_ascii=False))


def _source(attachment: dict[str, Any]) -> str:
    return Path(str(attachment.get("source") or "")).name


def _loaded(path: Path) -> Any:
    """A result as it is; None for one that can't be read, which Allure judges."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size <= RESULT_BYTES else None
    except (ValueError, RecursionError):
        return None


def _put(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copyfile(source, target)
