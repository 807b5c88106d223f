"""Keywords of Teams users who are brought to Webex and back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.webex import Webex
from harness.drivers.webex_migration import Census
from harness.endpoints.webex.teams_export import Wave
from harness.errors import ExpectationError, MigrationError
from harness.keywords.base import Topic

T = TypeVar("T")


class WebexMigrationKeywords(Topic):
    """What an organisation holds before, during and after a migration."""

    def _migrating(self, webex: str, act: Callable[[Webex], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.webex(webex))

        return self.session.run(do())

    @keyword
    def teams_users_of(self, webex: str, simulated: Path, refused: bool = False) -> Path:
        """Returns the file of Teams users to bring to Webex: for a real one, what the testbed file has under ``teams``.

        | =Argument= | =Description= |
        | ``webex``     | Webex's name in the testbed file. |
        | ``simulated`` | The file for a simulated one. |
        | ``refused``   | Whether it is to be one whose second user the service refuses. |

        Example:
        | ${export}    `Teams Users Of`    webex    fixtures/migration/teams-wave.json |
        """

        async def of(at: Webex) -> Path:
            return at.export(simulated, refused=refused)

        return self._migrating(webex, of)

    @keyword
    def webex_census(self, webex: str, export: Path) -> Census:
        """Returns what the organisation holds: accounts, groups, contacts, licences, and meetings of a file's users.

        | =Argument= | =Description= |
        | ``webex``  | Webex's name in the testbed file. |
        | ``export`` | The file that tells whose meetings are looked at. |

        Example:
        | ${before}    `Webex Census`    webex    fixtures/migration/teams-wave.json |
        """
        return self._migrating(webex, lambda at: at.census(at.wave(export).hosts))

    @keyword
    def webex_is_as_before(self, webex: str, before: Census, export: Path) -> None:
        """Fails where the organisation holds more, less or other things than a census told.

        | =Argument= | =Description= |
        | ``webex``  | Webex's name in the testbed file. |
        | ``before`` | What `Webex Census` returned. |
        | ``export`` | The same as there. |

        Example:
        | `Webex Is As Before`    webex    ${before}    fixtures/migration/teams-wave.json |
        """
        self._migrating(webex, lambda at: at.expect_as_before(before, at.wave(export).hosts))

    @keyword
    def teams_users_are_migrated(self, webex: str, export: Path, ledger: Path) -> Wave:
        """Brings a file's Teams users to Webex as the administrator; returns them as they were in Teams.

        They are taken back at the test's end where the test did not do it.

        | =Argument= | =Description= |
        | ``webex``  | Webex's name in the testbed file. |
        | ``export`` | The file, in Microsoft Graph's names. |
        | ``ledger`` | A file that is not there yet, by which all of it is taken back. It has people's names in it. |

        Example:
        | ${wave}    `Teams Users Are Migrated`    webex    fixtures/migration/teams-wave.json    ${TEMPDIR}/ledger |
        """
        return self._migrating(webex, lambda at: at.migrate(export, ledger))

    @keyword
    def teams_users_are_refused(self, webex: str, export: Path, ledger: Path) -> str:
        """Fails where a file's Teams users are brought over, or where something of them is left; returns why not.

        | =Argument= | =Description= |
        | ``webex``  | Webex's name in the testbed file. |
        | ``export`` | The file, one row of which the service refuses. |
        | ``ledger`` | A file that is not there yet. |

        Example:
        | ${why}    `Teams Users Are Refused`    webex    ${file}    ${TEMPDIR}/ledger |
        """

        async def do(at: Webex) -> str:
            try:
                await at.migrate(export, ledger)
            except MigrationError as error:
                if error.rolled_back is False:
                    raise
                return str(error)
            raise ExpectationError(f"{webex}: all of {export.name} was brought over")

        return self._migrating(webex, do)

    @keyword
    def teams_users_are_there(self, webex: str, wave: Wave) -> None:
        """Fails where a migrated user's account, licences, contacts or meetings are not as they were in Teams.

        | =Argument= | =Description= |
        | ``webex`` | Webex's name in the testbed file. |
        | ``wave``  | What `Teams Users Are Migrated` returned. |

        Example:
        | `Teams Users Are There`    webex    ${wave} |
        """
        self._migrating(webex, lambda at: at.expect_migrated(wave))

    @keyword
    def migration_is_rolled_back(self, webex: str, ledger: Path) -> int:
        """Takes back all that a migration did; returns how many steps that were.

        | =Argument= | =Description= |
        | ``webex``  | Webex's name in the testbed file. |
        | ``ledger`` | The migration's ledger. |

        Example:
        | `Migration Is Rolled Back`    webex    ${TEMPDIR}/ledger |
        """
        return self._migrating(webex, lambda at: at.roll_back(ledger))
