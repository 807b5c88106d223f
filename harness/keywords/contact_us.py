"""Keywords of Contact Us: what the public writes, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from robot.api.deco import keyword

from harness.drivers.contact_us import ContactUs
from harness.endpoints.contact_us import Message
from harness.keywords.base import Topic

AboutWhat = Literal["crime", "information", "update", "concern", "other"]


class ContactUsKeywords(Topic):
    """The public's form, REST intake and mailbox."""

    def _contact_us(self, system: str) -> ContactUs:
        return self.session.run(self.session.bench.contact_us(system))

    @keyword
    def citizen_fills_in_form(
        self,
        system: str,
        text: str,
        kind: AboutWhat = "other",
        email: str = "",
        telephone: str = "",
        form_key: str | None = None,
    ) -> str:
        """Fills the public's form in and sends it, as a browser without scripts does; returns the receipt's reference.

        | =Argument= | =Description= |
        | ``system``    | The system's name in the testbed file. |
        | ``text``      | What it says. |
        | ``kind``      | ``crime``, ``information``, ``update``, ``concern`` or ``other``. |
        | ``email``     | Where a receipt goes to. |
        | ``telephone`` | The writer's number. |
        | ``form_key``  | The same again, with the same text: the button was pressed twice. |

        Example:
        | ${reference}    `Citizen Fills In Form`    contact-us    My shop was broken into    kind=crime |
        """
        message = Message(text, kind, email=email, telephone=telephone)
        return self.session.run(self._contact_us(system).fill_in(message, form_key=form_key)).reference

    @keyword
    def citizen_sends_mail(self, system: str, sender: str, subject: str, text: str) -> str:
        """Sends a mail to the mailbox; returns the reference under which it was taken.

        | =Argument= | =Description= |
        | ``system``  | The system's name in the testbed file. |
        | ``sender``  | From whom; a receipt goes there. |
        | ``subject`` | Its subject. |
        | ``text``    | What it says. |

        Example:
        | ${reference}    `Citizen Sends Mail`    contact-us    iona@example.org    Noise    A dog barks all night |
        """
        return self.session.run(self._contact_us(system).mail(sender, subject, text)).reference

    @keyword
    def contact_us_shows(
        self, system: str, event: str, within: timedelta = timedelta(seconds=60), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until Contact Us tells of something that no earlier wait has had, and returns all of it.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |
        | ``event``  | ``submission.taken``, ``submission.urgent``, ``receipt.kept``, ``crm.record``, ``crm.link``, ``command_control.link``, ``incident.registered`` … |
        | ``within`` | The most that it may take. |
        | ``wanted`` | Values that it must have. |

        Example:
        | `Contact Us Shows`    contact-us    submission.urgent    within=60 s    reference=${reference} |
        """  # noqa: E501 - a row of Robot's table is one line
        self._contact_us(system).tells(event)
        return self.expect(system, event, within, wanted)

    @keyword
    def contact_us_does_not_show(self, system: str, event: str, **wanted: Any) -> None:
        """Fails where Contact Us has told of something that no earlier wait has had.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |
        | ``event``  | As for `Contact Us Shows`. |
        | ``wanted`` | Values that it would have. |

        Example:
        | `Contact Us Does Not Show`    contact-us    submission.urgent    reference=${reference} |
        """
        self._contact_us(system).tells(event)
        self.absent(system, event, wanted)
