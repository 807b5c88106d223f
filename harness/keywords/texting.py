"""Keywords of texts: what the control room sends and gets by its gateways, what handsets get and send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from harness.drivers.sms import SmsGateway, SmsNetwork
from harness.errors import ExpectationError
from harness.keywords.base import Topic


class TextingKeywords(Topic):
    """Texts by modem or SMPP, and the handsets of a simulated SMS network."""

    def _gateway(self, name: str) -> SmsGateway:
        return self.session.run(self.session.bench.sms_gateway(name))

    def _sms_network(self, name: str | None) -> SmsNetwork:
        return self.session.run(self.session.bench.sms_network(name))

    @keyword
    def text_is_sent(self, gateway: str, to: str, text: str, validity: timedelta | None = None) -> str:
        """Sends a text of any length in any language and waits until the network took it.

        | =Argument= | =Description= |
        | ``gateway``  | A component with role ``sms_gateway`` in the testbed file. |
        | ``to``       | The number. |
        | ``text``     | What it says. |
        | ``validity`` | How long the network tries to deliver it; its own time where left out. |

        Returns the reference by which `Text Report Comes` knows it. On a testbed with real equipment the safety
        interlock must allow the number.

        Example:
        | ${text}    `Text Is Sent`    sms-modem    +447700900123    Your appointment is on Monday at 10:00. |
        """
        seconds = None if validity is None else validity.total_seconds()
        return self.session.run(self._gateway(gateway).send(to, text, validity_s=seconds)).reference

    @keyword
    def text_report_comes(
        self, gateway: str, reference: str, state: str = "DELIVERED", within: timedelta = timedelta(seconds=30)
    ) -> None:
        """Waits until the network tells what became of a text.

        | =Argument= | =Description= |
        | ``gateway``   | The gateway that sent it. |
        | ``reference`` | As `Text Is Sent` returned it. |
        | ``state``     | ``DELIVERED``, ``EXPIRED``, ``UNDELIVERABLE`` or ``DELETED``. |
        | ``within``    | The most that it may take. |

        Example:
        | `Text Report Comes`    sms-modem    ${text} |
        """
        found = self.session.run(
            self._gateway(gateway).expect("text.report", within=within.total_seconds(), reference=reference)
        )
        if found.data["state"] != state:
            raise ExpectationError(f"{gateway}: text {reference} was to be {state}: {found.told().strip()}")

    @keyword
    def text_is_received(
        self, gateway: str, within: timedelta = timedelta(seconds=30), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until the control room gets a text, and returns its ``sender``, ``text`` and ``parts``.

        | =Argument= | =Description= |
        | ``gateway`` | A component with role ``sms_gateway`` in the testbed file. |
        | ``within``  | The most that it may take. |
        | ``wanted``  | Values that it must have: ``sender=+447700900123``, ``text=cancel``. |

        Example:
        | `Text Is Received`    sms-modem    sender=+447700900123    text=cancel |
        """
        self._gateway(gateway)
        return self.expect(gateway, "text.received", within, wanted)

    @keyword
    def handset_sends_text(self, number: str, to: str, text: str, network: str | None = None) -> None:
        """Lets a simulated handset send a text, as a citizen does: ``cancel``, ``change``, ``STOP``.

        | =Argument= | =Description= |
        | ``number``  | The handset's number, one of Ofcom's reserved ones. |
        | ``to``      | A gateway in the testbed file, or any number. |
        | ``text``    | What it says. |
        | ``network`` | The component with role ``sms_network``; may be left out where there is one. |

        Example:
        | `Handset Sends Text`    +447700900123    sms-modem    cancel |
        """
        if to in self.session.bench.testbed.components:
            to = self._gateway(to).number
        self.session.run(self._sms_network(network).send(number, to, text))

    @keyword
    def handset_gets_text(
        self,
        number: str,
        text: str | None = None,
        within: timedelta = timedelta(seconds=30),
        network: str | None = None,
    ) -> dict[str, Any]:
        """Waits until a simulated handset has a text that no earlier wait has had, and returns it.

        | =Argument= | =Description= |
        | ``number``  | The handset's number, one of Ofcom's reserved ones. |
        | ``text``    | What it must say; anything where left out. |
        | ``within``  | The most that it may take. |
        | ``network`` | The component with role ``sms_network``; may be left out where there is one. |

        Returns ``sender``, ``text``, ``parts``, ``at``.

        Example:
        | ${text}    `Handset Gets Text`    +447700900123    within=60 s |
        """
        driver = self._sms_network(network)
        found = self.session.run(
            driver.await_text(
                number, text, within=within.total_seconds(), after=self.seen.get((driver.name, number), 0)
            )
        )
        self.seen[driver.name, number] = int(found["seq"])
        return found

    @keyword
    def handset_is_switched(self, number: str, on: bool = True, full: bool = False, network: str | None = None) -> None:
        """Switches a simulated handset on or off, or lets it be full.

        | =Argument= | =Description= |
        | ``number``  | The handset's number, one of Ofcom's reserved ones. |
        | ``on``      | Off, it can't be reached. |
        | ``full``    | Full, it takes no text. |
        | ``network`` | The component with role ``sms_network``; may be left out where there is one. |

        Example:
        | `Handset Is Switched`    +447700900123    on=False |
        """
        self.session.run(self._sms_network(network).switch(number, on=on, full=full))
