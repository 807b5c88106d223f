"""Keywords of scenarios: a whole one, from its file."""

from __future__ import annotations

from pathlib import Path

from robot.api import logger
from robot.api.deco import keyword

from harness.errors import NotPlayedError, TestbedError
from harness.evidence.allure_adapter import plays
from harness.keywords.base import Topic
from harness.scenario.cast import casting
from harness.scenario.load import load_with_lines
from harness.scenario.player import Player

PROJECT = Path(__file__).resolve().parents[2]


class ScenarioKeywords(Topic):
    """Scenario files, played on the suite's testbed."""

    @keyword
    def replay_scenario(self, file: str) -> dict[str, str]:
        """Plays a scenario, every seat by the harness; fails where a step, expectation, measure or outcome does.

        | =Argument= | =Description= |
        | ``file``    | Scenario file: a path, from the working folder or the project's, or a name in ``fixtures/scenarios`` without its ending. |

        Returns what became of it: ``id``, ``outcome``, and ``steps``, as text. Each step is in the log.

        Example:
        | `Replay Scenario`    03-officer-emergency |
        | `Replay Scenario`    fixtures/scenarios/03-officer-emergency.yaml |
        """  # noqa: E501 - a row of Robot's table is one line
        scenario, lines = load_with_lines(_found(file))
        plays(scenario.id)
        bench = self.session.bench
        try:
            casting(scenario, bench.testbed, lines)
        except TestbedError as error:
            if bench.testbed.real():  # a bench of real equipment is built up bit by bit
                raise NotPlayedError(str(error)) from error
            raise
        player = Player(scenario, bench, lines=lines)
        result = self.session.run(player.play())
        for step in result.steps:
            logger.info(step.line())
        result.check()
        return {"id": result.id, "outcome": result.outcome, "steps": str(len(result.steps))}


def _found(file: str) -> Path:
    """The file that is meant: the first that is there, and else the path as given, for the error to name."""
    given = Path(file)
    places = (given, PROJECT / given, PROJECT / "fixtures" / "scenarios" / f"{file}.yaml")
    return next((place for place in places if place.is_file()), given)
