"""The CRM in a testbed file: what may stand there, and that the console's look-up stays with simulators."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.testbed.load import load_testbed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("crm: {role: crm, binding: real}", "a real crm needs 'service'"),
        ("crm: {role: crm, service: 'http://127.0.0.1:1'}", "'service': for a real CRM"),
        ("crm: {role: crm, binding: real, service: 'http://a:1', simulator: {people: 1}}", "lays out a simulator"),
        ("crm: {role: crm, simulator: {failure_demand: {none: x}}}", "'none' is there by itself"),
        ("crm: {role: crm, simulator: {prompt_review_min: 0}}", "prompt_review_min"),
        (
            "crm: {role: crm, simulator: {contacts: [{reference: a, name: A}, {reference: a, name: B}]}}",
            "two contacts have the same reference",
        ),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(f"name: test\ncomponents:\n  {text}\n")
    with pytest.raises(TestbedError) as raised:
        load_testbed(file)
    assert told in str(raised.value)


def test_a_real_crm_is_named_by_its_address_and_adapter(tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(
        "name: test\ncomponents:\n"
        "  crm: {role: crm, binding: real, service: 'https://crm.example', adapter: acme, token: t}\n"
    )
    assert load_testbed(file).real() == ["crm"]
