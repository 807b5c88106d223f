"""The catalogue: all of it is there, figures are parameters, and every mistake is told with file and line."""

from collections import Counter

import pytest

from harness.evidence.requirements import CATALOGUE, CatalogueError, catalogue, load

COUNTS = {
    "TEL": 20,
    "RAD": 24,
    "INT": 10,
    "RES": 10,
    "REC": 6,
    "ADM": 6,
    "AUD": 4,
    "WBX": 25,
    "SVC": 15,
    "NFR": 15,
    "TRN": 10,
}


def test_every_group_is_complete_and_numbered_without_gaps():
    assert Counter(requirement.group for requirement in catalogue().values()) == COUNTS
    for group, count in COUNTS.items():
        numbers = [int(name[-3:]) for name, each in catalogue().items() if each.group == group]
        assert numbers == list(range(1, count + 1))


def test_ids_are_cited_with_their_group_and_programme():
    for name, each in catalogue().items():
        niccs = each.group not in {"WBX", "SVC", "NFR", "TRN"}
        assert name == f"{'NICCS-' if niccs else ''}{each.group}-{name[-3:]}"


def test_priorities_are_those_of_the_catalogue():
    assert Counter(each.priority for each in catalogue().values()) == {"M": 123, "S": 22}


@pytest.mark.parametrize(
    ("name", "figure", "value", "unit", "proposed", "source"),
    [
        ("NICCS-TEL-002", "answer_s", 10, "s", False, "NCHS"),
        ("NICCS-TEL-006", "location_s", 2, "s", True, None),
        ("NICCS-RAD-001", "permit_p95_ms", 500, "ms", True, None),
        ("NICCS-RAD-004", "mouth_to_ear_ms", 300, "ms", False, "TS"),
        ("WBX-009", "mos", 4.0, "", False, "WQ"),
        ("NFR-004", "availability_share", 99.999, "%", False, "OFC"),
        ("TRN-006", "agreement", 0.7, "kappa", True, None),
    ],
)
def test_figures_are_parameters_with_unit_and_standing(name, figure, value, unit, proposed, source):
    found = catalogue()[name].figure(figure)
    assert (found.value, found.unit, found.proposed, found.source) == (value, unit, proposed, source)


def test_a_text_shows_its_figures_and_which_are_only_proposed():
    due = "KPI2 < 1,000 ms; TETRA ≤ 500 ms (proposed)"
    assert catalogue()["NICCS-RAD-003"].text == f"Given: MCPTT; when: call; then: {due}"
    assert catalogue()["NICCS-TEL-006"].title == "answered → caller location shown ≤ 2 s (proposed)"
    assert catalogue()["NICCS-RES-002"].text.startswith("Given: Site lost; then: queues")
    for each in catalogue().values():
        assert "{" not in each.text


def test_every_source_is_spelled_out():
    book = catalogue()
    for each in book.values():
        for source in each.sources:
            assert book.sources[source.partition(" ")[0]]


def test_an_unknown_id_or_figure_is_told_with_what_is_near():
    with pytest.raises(CatalogueError, match=r"'NICCS-TEL-06'.*NICCS-TEL-006"):
        catalogue()["NICCS-TEL-06"]
    with pytest.raises(CatalogueError, match=r"NICCS-TEL-006 has no figure 'answer_s'; it has: location_s"):
        catalogue()["NICCS-TEL-006"].figure("answer_s")


GOOD = """\
group: TEL
feature: Telephony
requirements:
  - id: NICCS-TEL-001
    priority: M
    given: Idle adviser
    then: alert within {alert_s}
    figures:
      alert_s: {value: 1, unit: s, proposed: true}
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("priority: M", "priority: X", r"telephony.yaml:5: NICCS-TEL-001: priority: .*'M', 'S' or 'C'.*found 'X'"),
        ("priority: M", "prioriti: M", r"telephony.yaml:5: NICCS-TEL-001: prioriti: "),
        ("    given: Idle adviser\n", "", r"telephony.yaml:4: NICCS-TEL-001: given: Field required"),
        ("value: 1", "value: soon", r"telephony.yaml:9: NICCS-TEL-001: figures.alert_s.value"),
        ("{alert_s}\n", "{answer_s}\n", r"telephony.yaml:4: NICCS-TEL-001: .*'answer_s'"),
        ("id: NICCS-TEL-001", "id: TEL1", r"telephony.yaml:4: TEL1: id: "),
        ("id: NICCS-TEL-001", "id: NICCS-RAD-001", r"telephony.yaml:4: NICCS-RAD-001 does not belong to the group TEL"),
        ("group: TEL", "group: 7", r"telephony.yaml:1: group: a text was due"),
        ("requirements:", "requirements: x\nrest:", r"telephony.yaml:3: requirements: a list was due"),
        ("    then:", "    sources: [ZZZ]\n    then:", r"telephony.yaml:4: .*'ZZZ' is not in sources.yaml"),
        ("given: Idle", "given: [Idle", r"telephony.yaml:7: "),
        ("group: TEL\n", "- group\n", r"telephony.yaml"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(tmp_path, old, new, told):
    (tmp_path / "sources.yaml").write_text("sources:\n  P24: Paper\n")
    path = tmp_path / "telephony.yaml"
    path.write_text(GOOD)
    assert len(load(tmp_path)) == 1
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(CatalogueError, match=told):
        load(tmp_path)


def test_an_id_defined_twice_is_told_with_both_places(tmp_path):
    (tmp_path / "sources.yaml").write_text("sources: {P24: Paper}\n")
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    with pytest.raises(CatalogueError, match=r"b.yaml:4: NICCS-TEL-001 is defined already, at .*a.yaml:4"):
        load(tmp_path)


def test_a_folder_without_a_catalogue_is_told(tmp_path):
    with pytest.raises(CatalogueError, match="no catalogue here"):
        load(tmp_path)
    assert (CATALOGUE / "sources.yaml").is_file()
