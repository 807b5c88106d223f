"""What the settings of an enterprise switch share: how numbers and names are written, and what speech may be."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from simulators.settings import Strict

Extension = Annotated[str, Field(pattern=r"^[0-9*#]{1,20}$")]
"""What is dialled within the switch."""
DialledNumber = Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,32}$")]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
"""The name of a trunk, site or group: what journals and call records call it."""
DisplayName = Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]
Seconds = Annotated[float, Field(gt=0, le=3600)]
_PORT = r"(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HostPort = Annotated[str, Field(pattern=rf"^[^:\s]+:{_PORT}$")]
Codec = Literal["PCMA", "PCMU", "G722", "OPUS"]
Secure = Literal["no", "optional", "required"]
"""Whether speech is SRTP with its keys in the session description: never; where the other side can; always."""
MediaPath = Literal["anchored", "passed_through"]
"""Whether speech goes by the switch, or the session descriptions are relayed untouched and it goes from end to end."""
Dtmf = Literal["auto", "rfc4733", "info"]
"""How keys are sent: as RFC 4733 where that was agreed, else in INFO; or always the one or the other."""
Identity = Literal["P-Asserted-Identity", "Remote-Party-ID"]


class Reachable(Protocol):
    """What has a number of its own, and perhaps one that trunks know it by."""

    @property
    def number(self) -> str:
        """Within the switch."""

    @property
    def external(self) -> str | None:
        """The number that trunks know it by, both ways."""


class SpeechSettings(Strict):
    """What speech to one telephone or trunk may be."""

    codecs: tuple[Codec, ...] = Field(default=("PCMA", "PCMU"), min_length=1, max_length=4)
    """By preference. G722 and OPUS need the extra ``codecs``."""
    secure: Secure = "no"
    media: MediaPath = "anchored"
    """Passed through where one end of a call says so, neither end is to be transcoded, and no offer is delayed."""
    dtmf: Dtmf = "auto"
