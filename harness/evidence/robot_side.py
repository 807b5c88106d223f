"""Ties Robot to the catalogue: which requirements a test's tags name, and which of them there are not."""

from __future__ import annotations

from robot import result as outcome
from robot import running

from harness.evidence.requirements import Catalogue

TAG = "req:"
"""A tag that begins so names a requirement: ``req:NICCS-TEL-006``."""


def tagged_requirements(test: running.TestCase | outcome.TestCase) -> list[str]:
    """Return the ids that a test's tags name, each once; tags know no case, ids are upper-case."""
    named = (str(tag)[len(TAG) :].strip().upper() for tag in test.tags if str(tag).lower().startswith(TAG))
    return list(dict.fromkeys(named))


def unknown_requirements(suite: running.TestSuite, known: Catalogue) -> list[str]:
    """Return a line for each tag that names no requirement of the catalogue: file, line, test, and what is near."""
    return [
        f"{test.source}:{test.lineno}: {test.name}: {known.unknown(name)}"
        for test in suite.all_tests
        for name in tagged_requirements(test)
        if name not in known
    ]
