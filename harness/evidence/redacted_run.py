"""Makes a copy of a run's results that may be shown: every artefact masked for an audience, or withheld.

The copy has the form of a run's folder, so that report and dossier are made of it as of the run itself. What the run
kept beside its results (raw captures in ``run/``, ``logs/``) is not in it. It is written beside and takes its name when
it is whole: a copy that is half masked is never there.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.evidence.attached import attachments_of
from harness.evidence.audio import LISTEN
from harness.evidence.collect import MEASURE, PCAP
from harness.evidence.defects import EMPTY, Register
from harness.evidence.plan import Plan
from harness.evidence.redacted_wire import MAX_CAPTURE, learn_from_capture, mask_capture, silence
from harness.evidence.redaction import Audience, Masks, RedactionError
from harness.evidence.results import RESULT_BYTES, read_results
from harness.evidence.run_store import measures_of

MAX_TEXT: Final = 32 * 1024 * 1024
"""Bytes of a text that is masked; a longer one is withheld."""
WITHHELD: Final = b"Withheld: this kind of file can't be masked.\n"
TOLD: Final = "redaction.json"
"""What became of the artefacts, in the copy."""
RESULTS: Final = "allure-results"
_TEXTS: Final = frozenset({"text/plain", "text/html", "text/csv", "text/xml", "application/xml", "text/uri-list"})
_DRAWN: Final = ("ladder", "plot")
"""Pictures (SVG) that are text; of others what they show is not masked: they are withheld."""
_PLAYS: Final = b"data:audio/"
"""In a page that plays a recording: such a page is withheld, the recording beside it is silenced."""
_AS_IS: Final = frozenset({"uuid", "historyId", "testCaseId", "status", "stage", "start", "stop", "source", "type"})
"""Allure's own keys, whose values it made."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """What became of the artefacts."""

    masked: int
    silenced: int
    withheld: int
    left_out: tuple[str, ...]
    """Folders of the run that are not in the copy."""


def redact_run(
    out: Path,
    audience: Audience,
    register: Register = EMPTY,
    *,
    bindings: Iterable[str] = (),
    names: Iterable[str] = (),
    plan: Plan | None = None,
) -> tuple[Path, Register, Plan | None]:
    """Write ``out/AUDIENCE/allure-results``; return ``out/AUDIENCE``, the register and the plan with texts masked.

    ``bindings``: the testbed's components, whose names stay; ``names``: more that must not. Raises RedactionError.
    """
    results = out / RESULTS
    tests, unreadable = read_results(results)
    if unreadable:
        raise RedactionError(f"{results / unreadable[0]}: can't be read, so it can't be masked; nothing is published")
    measured = {each.name for each in measures_of(results, tests)}
    masks = Masks(audience, keep=[*bindings, *measured], names=names)
    for path, name, kind in _artefacts(results):
        _learn(masks, path, name, kind)
    folder, beside = out / audience, out / f".{audience}.part"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        (beside / RESULTS).mkdir(parents=True)
        counted: Counter[str] = Counter()
        for path, name, kind in _artefacts(results):
            body, how = _masked(masks, path, name, kind, audience)
            (beside / RESULTS / path.name).write_bytes(body)
            counted[how] += 1
        told = Redacted(counted["masked"], counted["silenced"], counted["withheld"], ("run", "logs"))
        (beside / TOLD).write_text(json.dumps(_told(told, audience), indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    except OSError as error:
        raise RedactionError(f"{folder}: can't be written: {error.strerror}; nothing is published") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    masked_plan = None if plan is None else Plan.model_validate(_planned(masks, plan.model_dump(), audience))
    return folder, _register(masks, register, audience), masked_plan


def _register(masks: Masks, register: Register, audience: Audience) -> Register:
    """Mask what people wrote of faults; its tests are masked as the results' are: they still meet."""
    masked = []
    for each in register.defects:
        told: dict[str, Any] = {
            "title": masks.mask_text(each.title),
            "workaround": each.workaround and masks.mask_text(each.workaround),
            "tests": tuple(masks.mask_text(name) for name in each.tests),
            "failure": each.failure and masks.mask_text(each.failure),
        }
        if each.waiver is not None:
            approver = "withheld" if audience == "public" else each.waiver.approver
            reason = masks.mask_text(each.waiver.reason)
            told["waiver"] = each.waiver.model_copy(update={"approver": approver, "reason": reason})
        masked.append(each.model_copy(update=told))
    return register.model_copy(update={"defects": tuple(masked)})


def _planned(masks: Masks, node: Any, audience: Audience) -> Any:
    """Mask what people wrote in a plan: its offices, declarations, risks and lessons; the public sees no declarer."""
    if isinstance(node, list | tuple):
        return [_planned(masks, each, audience) for each in node]
    if isinstance(node, str):
        return masks.mask_text(node)
    if not isinstance(node, dict):
        return node
    told = {key: _planned(masks, value, audience) for key, value in node.items()}
    if "sha256" in told:  # a record of what was witnessed: what says by which rules it counts stays
        told |= {key: node[key] for key in ("requirement", "method", "result", "stages", "sha256")}
    if told.get("by") is not None and audience == "public":
        told["by"] = "withheld"
    if "sites" in told:
        told["sites"] = node["sites"]  # names of testbeds, by which runs are found
    if "staff" in told:
        told["staff"] = {masks.mask_text(site): share for site, share in told["staff"].items()}
    return told


def _told(told: Redacted, audience: Audience) -> dict[str, Any]:
    return {
        "audience": audience,
        "masked": told.masked,
        "silenced": told.silenced,
        "withheld": told.withheld,
        "left_out": list(told.left_out),
    }


def _artefacts(results: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield each file of Allure's results: path, attachment's name and media type; of its own files, their kind."""
    attached: dict[str, tuple[str, str]] = {}
    own = []
    for path in sorted(results.iterdir()):
        if path.is_symlink() or not path.is_file():
            continue
        if path.name.endswith(("-result.json", "-container.json")):
            own.append((path, "", "allure"))
            for each in attachments_of(_loaded(path)):
                name, kind = str(each.get("name") or ""), str(each.get("type") or "")
                attached[Path(str(each.get("source") or "")).name] = name, kind
    yield from own
    for path in sorted(results.iterdir()):
        if path.is_symlink() or not path.is_file() or path.name.endswith(("-result.json", "-container.json")):
            continue
        kind = "text/plain" if path.name == "environment.properties" else ""
        yield path, *attached.get(path.name, ("", kind))


def _loaded(path: Path) -> Any:
    try:
        if path.stat().st_size > RESULT_BYTES:
            raise RedactionError(f"{path}: more than {RESULT_BYTES} bytes; nothing is published")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RedactionError(f"{path}: can't be read, so it can't be masked: {error}") from error


def _learn(masks: Masks, path: Path, name: str, kind: str) -> None:
    if kind == "allure":
        _learn_allure(masks, _loaded(path))
    elif kind == PCAP:
        if path.stat().st_size <= MAX_CAPTURE:
            learn_from_capture(masks, path.read_bytes())
    elif _is_text(name, kind) and path.stat().st_size <= MAX_TEXT:
        masks.learn(path.read_bytes())


def _learn_allure(masks: Masks, node: Any) -> None:
    """Take what Allure's own documents name: in them, "name" is a step's or a label's, and no person's."""
    if isinstance(node, list):
        for each in node:
            _learn_allure(masks, each)
    elif isinstance(node, str):
        masks.learn(node.encode("utf-8", errors="surrogateescape"))
    elif isinstance(node, dict):
        for each in node.get("parameters") or []:
            masks.learn_value(str(each.get("name")), str(each.get("value")).strip("'\""))
        for key, value in node.items():
            if key not in _AS_IS:
                _learn_allure(masks, value)


def _is_text(name: str, kind: str) -> bool:
    if kind == "text/html" and name.startswith(LISTEN):
        return False
    return kind in _TEXTS or kind == "application/json" or (kind == "image/svg+xml" and name.startswith(_DRAWN))


def _masked(masks: Masks, path: Path, name: str, kind: str, audience: Audience) -> tuple[bytes, str]:
    """Return what takes an artefact's place, and how it was treated."""
    if kind == "allure":
        return json.dumps(_allure(masks, _loaded(path)), ensure_ascii=False).encode(), "masked"
    if kind == PCAP and path.stat().st_size <= MAX_CAPTURE:
        return mask_capture(masks, path.read_bytes(), addresses=audience == "public"), "masked"
    if kind in {"audio/wav", "audio/x-wav"} and path.stat().st_size <= MAX_TEXT:
        return silence(path.read_bytes()), "silenced"
    if not _is_text(name, kind) or path.stat().st_size > MAX_TEXT:
        return WITHHELD, "withheld"
    body = path.read_bytes()
    if _PLAYS in body:
        return WITHHELD, "withheld"
    if kind != "application/json":
        return masks.mask(body), "masked"
    return (_measures(masks, body) if name.startswith(f"{MEASURE}s") else masks.mask_json(body)), "masked"


def _measures(masks: Masks, body: bytes) -> bytes:
    """Mask a table of measures: what a measure is called is no person's name."""
    try:
        rows = json.loads(body)
        told = [{key: masks.mask_text(v) if isinstance(v, str) else v for key, v in row.items()} for row in rows]
    except (ValueError, TypeError, AttributeError):
        return masks.mask_json(body)
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _allure(masks: Masks, node: Any) -> Any:
    """Mask one of Allure's own documents: every text but those that it made itself."""
    if isinstance(node, list):
        return [_allure(masks, each) for each in node]
    if isinstance(node, str):
        return masks.mask_text(node)
    if not isinstance(node, dict):
        return node
    told = {key: value if key in _AS_IS else _allure(masks, value) for key, value in node.items()}
    if node.get("parameters"):
        told["parameters"] = [_parameter(masks, each) for each in node["parameters"]]
    if "source" in told and _withheld(told):
        told |= {"type": "text/plain", "name": f"{told.get('name')} (withheld)"}
    return told


def _withheld(attachment: Mapping[str, Any]) -> bool:
    name, kind = str(attachment.get("name") or ""), str(attachment.get("type") or "")
    return not _is_text(name, kind) and kind not in {PCAP, "audio/wav", "audio/x-wav"}


def _parameter(masks: Masks, each: Mapping[str, Any]) -> dict[str, Any]:
    name = str(each.get("name") or "")
    return {**each, "name": masks.mask_text(name), "value": masks.mask_value(str(each.get("value") or ""), name)}
