"""Playing a scenario in the browser: one person in a console's seat, on a control room of their own, then a debrief."""

from harness.page.play.routes import Site, add_play
from harness.page.play.sessions import Sessions

__all__ = ["Sessions", "Site", "add_play"]
