"""What a port was told to keep to with its peer, in the form that crosses to a worker."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final, Literal

from harness.errors import MediaError
from harness.protocols.rtp.codecs import OPUS_PTIMES, require_codec
from harness.protocols.rtp.security import Security

Address = tuple[str, int]
Symmetric = Literal["no", "port", "any"]
"""Whether media may come from elsewhere than signalled (RFC 4961), and is then answered there: never; from another port
of the signalled host; from any host. See `peer` for the rule."""

PTIMES: Final = range(10, 201, 10)
"""Milliseconds that a packet of ours may hold."""
MAX_SECURED_PTIME: Final = 160
"""Milliseconds of G.711 that fit into a secured packet (see protocols.rtp.srtp)."""
SPEECH_NAMES: Final = ("PCMA", "PCMU", "G722", "OPUS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What speech and text have in common."""

    remote: Address | None
    """The agreed address; None: whoever sends first."""
    send: bool = True
    receive: bool = True
    rtcp: Address | None = None
    """Where RTCP goes; None: the remote's next port, or its own with `rtcp_mux`."""
    rtcp_mux: bool = False
    """Whether RTCP shares the RTP ports (RFC 5761)."""
    symmetric: Symmetric = "no"
    rests: bool = False
    """Whether both sides send nothing while there is nothing to say, but a sign of life now and then (see `engine`)."""
    security: Security | None = field(default=None, repr=False)
    """SRTP's suite and keys."""

    _symmetries: ClassVar = ("no", "port", "any")

    def _check(self, payload_types: list[int]) -> None:
        if any(not 0 <= value <= 127 for value in payload_types) or len(set(payload_types)) < len(payload_types):
            raise MediaError(f"RTP payload types are 0-127 and differ; not {payload_types}")
        if self.symmetric not in self._symmetries:
            raise MediaError(f"symmetric RTP is {', '.join(self._symmetries)}, not {self.symmetric!r}")

    def as_json(self) -> dict[str, Any]:
        """The terms for a control message. It holds the keys: for the worker's socket alone."""
        data = {each.name: getattr(self, each.name) for each in fields(self)}
        if self.security is not None:
            keys = (self.security.local_key, self.security.remote_key)
            data["security"] = [self.security.suite, *(base64.b64encode(key).decode() for key in keys)]
        return data


def _common(data: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(data)
    for name in ("remote", "rtcp"):
        if values.get(name) is not None:
            host, port = values[name]
            values[name] = (str(host), int(port))
    if isinstance(values.get("security"), list):
        suite, local, remote = values["security"]
        values["security"] = Security(suite, base64.b64decode(local), base64.b64decode(remote))
    values["incoming"] = tuple((int(number), str(name)) for number, name in values.get("incoming", ()))
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechTerms(Terms):
    """What an audio port keeps to. Raises MediaError for what can't be."""

    codec: str
    """What we send: PCMA, PCMU, G722 or OPUS."""
    payload_type: int
    """What that is sent under."""
    dtmf_payload_type: int | None = None
    """What telephone events are under, sent and received; None: there are none."""
    dtmf_clock: int = 8000
    comfort_noise_payload_type: int | None = None
    """What comfort noise is under; with it silence is suppressed. None: silence is sent like speech."""
    incoming: tuple[tuple[int, str], ...] = ()
    """(payload type, encoding name) of what may come; empty: what we send."""
    ptime: int = 20
    """Milliseconds of speech in a packet that we send."""

    def __post_init__(self) -> None:
        beside = (self.dtmf_payload_type, self.comfort_noise_payload_type)
        self._check([self.payload_type, *(value for value in beside if value is not None)])
        for name in {self.codec, *self.speech_incoming().values()}:
            require_codec(name)
        check_ptime(self.codec, self.ptime, secured=self.security is not None)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SpeechTerms:
        """The terms that `as_json` gave. Raises MediaError."""
        return cls(**_common(data))

    def speech_incoming(self) -> dict[int, str]:
        """What speech may come under: payload type to codec."""
        spoken = {number: name for number, name in self.incoming if name in SPEECH_NAMES}
        return spoken or {self.payload_type: self.codec.upper()}

    def events_incoming(self) -> set[int]:
        """What telephone events may come under."""
        stated = {number for number, name in self.incoming if name == "telephone-event"}
        return stated or (set() if self.dtmf_payload_type is None else {self.dtmf_payload_type})

    def noise_incoming(self) -> set[int]:
        """What comfort noise may come under."""
        stated = {number for number, name in self.incoming if name == "CN"}
        ours = self.comfort_noise_payload_type
        return stated or (set() if ours is None else {ours})


def check_ptime(codec: str, ptime: int, *, secured: bool) -> None:
    """Raise MediaError when packets of `ptime` milliseconds can't be sent."""
    if ptime not in PTIMES:
        raise MediaError(f"packets hold 10-200 ms of speech in steps of 10, not {ptime}")
    if codec.upper() == "OPUS" and ptime not in OPUS_PTIMES:
        raise MediaError(f"Opus packets hold {', '.join(map(str, OPUS_PTIMES))} ms, not {ptime}")
    if secured and ptime > MAX_SECURED_PTIME:
        raise MediaError(f"secured packets hold at most {MAX_SECURED_PTIME} ms of speech, not {ptime}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTerms(Terms):
    """What a real-time text port keeps to (RFC 4103). Raises MediaError for what can't be."""

    payload_type: int
    """What t140 is under."""
    redundant_payload_type: int | None = None
    """What text/red is under; None: nothing is repeated."""
    generations: int = 2
    """Earlier blocks that each packet repeats, 1-5."""
    cps: int = 30
    """Characters a second that the peer takes."""
    incoming: tuple[tuple[int, str], ...] = ()
    """(payload type, encoding name) of what may come; empty: what we send."""

    def __post_init__(self) -> None:
        self._check([value for value in (self.payload_type, self.redundant_payload_type) if value is not None])
        if not 1 <= self.generations <= 5 and self.redundant_payload_type is not None:
            raise MediaError(f"text is repeated in 1 to 5 packets, not {self.generations}")
        if not 1 <= self.cps <= 1000:
            raise MediaError(f"a peer takes 1 to 1000 characters a second, not {self.cps}")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TextTerms:
        """The terms that `as_json` gave. Raises MediaError."""
        return cls(**_common(data))

    def text_incoming(self) -> tuple[int, int | None]:
        """What t140 and what red may come under."""
        numbers = {name: number for number, name in self.incoming}
        if "T140" in numbers:
            return numbers["T140"], numbers.get("RED")
        return self.payload_type, self.redundant_payload_type
