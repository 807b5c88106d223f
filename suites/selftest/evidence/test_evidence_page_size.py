"""What one page holds of a run's evidence: all, or all but the largest, a failure's last; notes stand for the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.evidence import page_size
from harness.evidence.attached import attachments_of
from harness.evidence.page_size import for_one_page
from harness.evidence.results import read_results


def keep(results: Path, name: str, status: str, **files: int) -> dict[str, Any]:
    attached = [{"name": each, "source": f"{each}.wav", "type": "audio/wav"} for each in files]
    result = {
        "uuid": name,
        "historyId": name,
        "name": name,
        "status": status,
        "start": 1,
        "attachments": attached[:1],
        "steps": [{"name": "a step", "steps": [{"name": "within it", "attachments": attached[1:]}]}],
    }
    (results / f"{name}-result.json").write_text(json.dumps(result))
    for each, size in files.items():
        (results / f"{each}.wav").write_bytes(bytes(size))
    return result


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "allure-results").mkdir()
    return tmp_path / "allure-results"


def test_evidence_that_fits_is_left_where_it_is(results: Path, tmp_path: Path) -> None:
    keep(results, "good", "passed", heard=1000)
    fitting = for_one_page(results, tmp_path / "page")
    assert (fitting.results, fitting.left_out) == (results, "")
    assert not (tmp_path / "page").exists()


def test_the_largest_of_passed_tests_goes_first_and_a_note_stands_for_it(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_size, "PAGE_BYTES", 5_500)
    keep(results, "good", "passed", heard=3_000, short=100)
    bad = keep(results, "bad", "failed", failure=5_000)
    (results / "broken-result.json").write_text("{")
    before = {path.name: path.read_bytes() for path in results.iterdir()}
    fitting = for_one_page(results, tmp_path / "page")
    page = fitting.results
    assert fitting.left_out.startswith("1 pieces of evidence, 0 MiB, are too much for one page and are in ")
    assert {path.name: path.read_bytes() for path in results.iterdir()} == before, "the results are the run's"
    names = {path.name for path in page.iterdir()}
    assert names == (before.keys() - {"heard.wav"}) | {"heard.wav.txt"}
    assert (page / "heard.wav.txt").read_text() == (
        "3000 bytes of audio/wav, too much for this page: allure-results/heard.wav\n"
    )
    (noted, short) = attachments_of(json.loads((page / "good-result.json").read_text()))
    assert noted == {"name": "heard", "source": "heard.wav.txt", "type": "text/plain"}
    assert short["source"] == "short.wav"
    assert json.loads((page / "bad-result.json").read_text()) == bad
    assert [test.name for test in read_results(page)[0]] == ["bad", "good"]


def test_what_a_failure_tells_goes_where_nothing_else_is_left_to_go(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_size, "PAGE_BYTES", 1_000)
    keep(results, "good", "passed", heard=3_000)
    keep(results, "bad", "broken", failure=5_000, journal=900)
    page = for_one_page(results, tmp_path / "page").results
    assert {path.name for path in page.glob("*.wav")} == {"journal.wav"}
