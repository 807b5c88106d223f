"""The page on the 101 line: its settings are ones that the simulator takes, with announcements that are there."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

from simulators.iccs.clips import Clips
from simulators.iccs.settings import IccsSettings

PAGE = Path(__file__).resolve().parents[4] / "docs" / "101-line.md"


def test_the_settings_on_the_page_are_valid_and_name_announcements_that_are_there() -> None:
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    settings = IccsSettings.model_validate(YAML(typ="safe").load(block[1])["simulator"])
    assert Clips(settings).seconds("ivr-main") > 5
    assert list(settings.queues) == ["emergency", "reports", "operator"]
