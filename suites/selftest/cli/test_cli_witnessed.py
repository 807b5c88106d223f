"""What was witnessed outside of a run meets a Must, in the dossier and at the gate, while its document is as it was."""

from hashlib import sha256

import pytest
from dossier_place import MUSTS, PLAN, Place

REPORT = b"%PDF-1.7 The mains were away for 42 minutes."
MAINS = "NICCS-RES-009"
OTHERS = [each for each in MUSTS if each != MAINS]


@pytest.fixture
def place(tmp_path):
    found = Place(tmp_path)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "mains & ups.pdf").write_bytes(REPORT)
    return found


def record(**other):
    told = {
        "requirement": MAINS,
        "method": "demonstration",
        "result": "met",
        "stages": "[SAT, OAT]",
        "what": "Mains taken away for 42 minutes in the busy hour; <b>nothing</b> restarted",
        "where": "Govan, equipment room",
        "on": "2026-01-20",
        "by": "B. Witness, Service manager",
        "document": '"papers/mains & ups.pdf"',
        "sha256": f'"{sha256(REPORT).hexdigest()}"',
    } | other
    return "  - " + "\n    ".join(f"{key}: {value}" for key, value in told.items()) + "\n"


def witnessed(place, *records):
    place.plan.write_text(f"{PLAN.replace('exit: {run: 100,', 'exit: {')}witnessed:\n{''.join(records)}")


def test_a_must_that_no_test_can_show_is_met_and_the_dossier_shows_how_and_takes_the_document_in(place):
    place.run(["passed"], requirements=OTHERS)
    told, page = place.made()
    assert told.startswith("Dossier (amber)")
    witnessed(place, record(expires="2999-01-01"))
    told, page = place.made()
    assert told.startswith("Dossier (green)")
    assert "Witnessed, met: demonstrated on 20 January 2026, Govan, equipment room: Mains taken away" in page
    assert "&lt;b&gt;nothing&lt;/b&gt;" in page
    assert "(B. Witness, Service manager). Document" in page
    assert "counts until 01 January 2999" in page
    assert f'href="witnessed/{MAINS}-mains%20%26%20ups.pdf"' in page
    assert f"{len(MUSTS)} of {len(MUSTS)} did, 1 of them witnessed outside of a run" in page
    kept = place.out / "dossier" / "witnessed" / f"{MAINS}-mains & ups.pdf"
    assert kept.read_bytes() == REPORT
    assert place.verify()[0] == 0
    kept.write_bytes(REPORT + b".")
    code, told = place.verify()
    assert code == 1
    assert kept.name in told


@pytest.mark.parametrize(
    ("other", "colour", "reason"),
    [
        ({"result": "not met"}, "red", "1 Must failed"),
        ({"stages": "[OAT]"}, "amber", "1 Must was not run"),
        ({"expires": "2026-02-01"}, "amber", "1 Must was not run"),
        ({"on": "2999-01-01"}, "amber", "1 Must was not run"),
    ],
)
def test_a_record_that_says_no_or_does_not_count_meets_nothing(place, other, colour, reason):
    place.run(["passed"], requirements=OTHERS)
    witnessed(place, record(**other))
    told, page = place.made()
    assert told.startswith(f"Dossier ({colour})")
    assert reason in page


@pytest.mark.parametrize(
    ("status", "binding", "standing"),
    [
        ("failed", "real", "failed"),
        ("passed", "real", "passed"),
        ("passed", "simulated", "witnessed"),
        ("skipped", "real", "witnessed"),
    ],
)
def test_a_failed_test_outweighs_it_and_a_simulated_pass_does_not(place, status, binding, standing):
    place.run([status], binding=binding, requirements=[MAINS])
    witnessed(place, record())
    _, page = place.made()
    row = page[page.index(f'<td class="whole">{MAINS}</td>') :]
    assert f">{standing}</td></tr>" in row[: row.index("</tr>") + 5]


def test_the_latest_of_several_counts(place):
    place.run(["passed"], requirements=OTHERS)
    late = record(on="2026-03-01", result="not met", what="A switch restarted")
    witnessed(place, late, record())
    assert place.made()[0].startswith("Dossier (red)")
    witnessed(place, record(), late, record(on="2026-03-01", what="Again, with the switch on the UPS"))
    told, page = place.made()
    assert told.startswith("Dossier (green)")
    assert "Again, with the switch on the UPS" in page
    assert "A switch restarted" not in page


def test_a_document_that_is_missing_or_was_changed_stops_dossier_and_gate(place, tmp_path):
    place.run(["passed"], requirements=OTHERS)
    witnessed(place, record())
    paper = tmp_path / "papers" / "mains & ups.pdf"
    paper.write_bytes(REPORT + b" Or 41.")
    asked = ["--stage", "SAT", "--key", place.key, "--out", place.out, "--defects", place.defects, "--plan", place.plan]
    code, told = place.call(*asked)
    assert code == 2
    assert f"{place.plan}: witnessed: the document of {MAINS}, {paper}: was changed since it was written down" in told
    paper.unlink()
    code, told = place.call(*asked)
    assert code == 2
    assert "can't be read: No such file or directory" in told
    code, told = place.gate("--stage", "SAT", "--out", place.out, "--defects", place.defects, "--plan", place.plan)
    assert code == 2
    assert "can't be read: No such file or directory" in told


def test_the_gate_is_met_by_it(place):
    place.run(["passed"], requirements=OTHERS)
    asked = ["--stage", "SAT", "--out", place.out, "--defects", place.defects, "--plan", place.plan]
    assert place.gate(*asked)[0] == 1
    witnessed(place, record())
    code, told = place.gate(*asked)
    assert code == 0
    assert "1 of them witnessed outside of a run" in told


def test_the_board_sees_it_masked_and_the_document_is_withheld(place):
    place.run(["passed"], requirements=OTHERS)
    witnessed(place, record(what="Witnessed from 07700 900123 to the end"))
    asked = ["--stage", "SAT", "--key", place.key, "--out", place.out, "--defects", place.defects, "--plan", place.plan]
    code, told = place.call(*asked, "--audience", "public")
    assert code == 0, told
    page = (place.out / "public" / "dossier" / "dossier.html").read_text().replace("<wbr>", "")
    assert "900123" not in page
    assert "B. Witness" not in page
    assert ", withheld, SHA&#8209;256" in page
    assert sha256(REPORT).hexdigest() in page
    assert not (place.out / "public" / "dossier" / "witnessed").exists()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"requirement": "NICCS-RES-099"}, "plan.yaml:8: witnessed.0.requirement: unknown requirement 'NICCS-RES-099'"),
        ({"method": "hearsay"}, "plan.yaml:9: witnessed.0.method: found 'hearsay'; allowed: 'demonstration', 'insp"),
        ({"sha256": "abc"}, "plan.yaml:17: witnessed.0.sha256: found 'abc'; allowed: "),
        ({"expires": "2025-12-31"}, "plan.yaml:8: witnessed.0: expires before it was witnessed"),
        ({"wher": "x"}, "plan.yaml:18: witnessed.0: found the unknown key 'wher'; did you mean 'where'?"),
    ],
)
def test_a_wrong_record_is_told_with_its_line(place, other, said):
    place.run(["passed"])
    witnessed(place, record(**other))
    code, told = place.gate("--stage", "SAT", "--out", place.out, "--defects", place.defects, "--plan", place.plan)
    assert code == 2
    assert said in told
