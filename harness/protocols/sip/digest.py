"""Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): MD5 and SHA-256, qop auth and auth-int, both sides."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import MAX_PARAMS, TOKEN, quote, split_outside, unquote

ALGORITHMS: Final[dict[str, Callable[[bytes], str]]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    # RFC 8760 keeps MD5 for old equipment; it guards no secret of ours.
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
"""What we speak, best first."""

MAX_NONCES: Final = 4_096
"""Nonces in use whose counts an Authenticator remembers; as old ones as the one that makes room are stale then."""
NONCE_LIFE: Final = 300.0
"""Seconds for which a nonce is good."""
QOPS: Final = ("auth", "auth-int")
"""Qualities of protection that we speak: the second guards the body too (RFC 7616 §3.4)."""


def parse_digest(value: str) -> dict[str, str]:
    """Parse `Digest name=value, name="value"` into lower-case names; raises SipRemoteError."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise SipRemoteError(f"not Digest: {scheme[:20]!r}")
    parts = split_outside(rest, ",", MAX_PARAMS)
    if parts is None:
        raise SipRemoteError("digest parameters that can't be read")
    found: dict[str, str] = {}
    for part in parts:
        name, equals, text = part.partition("=")
        name = name.strip().lower()
        if not equals or TOKEN.fullmatch(name) is None or name in found:
            raise SipRemoteError(f"a digest parameter that can't be read: {part[:40]!r}")
        found[name] = unquote(text.strip())
    return found


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 or 407 asks for."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str = "auth"
    """What it is answered with: `auth`, `auth-int` where that alone is offered, or empty for RFC 2069 peers."""
    opaque: str | None = None
    stale: bool = False
    """The password was right, the nonce too old."""

    @classmethod
    def parse(cls, value: str) -> Challenge:
        """Parse a WWW-Authenticate or Proxy-Authenticate value. Raises SipRemoteError, also for unknown algorithms."""
        found = parse_digest(value)
        if "realm" not in found or "nonce" not in found:
            raise SipRemoteError("a challenge without realm or nonce")
        algorithm = found.get("algorithm", "MD5").upper()
        if algorithm not in ALGORITHMS:
            raise SipRemoteError(f"digest algorithm {algorithm[:20]!r}; we speak {', '.join(ALGORITHMS)}")
        offered = [item.strip().lower() for item in found["qop"].split(",")] if "qop" in found else []
        qop = next((each for each in QOPS if each in offered), "")
        if offered and not qop:
            raise SipRemoteError(f"digest qop {found['qop'][:20]!r}; we speak {', '.join(QOPS)}")
        return cls(
            found["realm"],
            found["nonce"],
            algorithm,
            qop,
            found.get("opaque"),
            found.get("stale", "").lower() == "true",
        )

    def __str__(self) -> str:
        text = f"Digest realm={quote(self.realm)}, nonce={quote(self.nonce)}, algorithm={self.algorithm}"
        if self.qop:
            text += f', qop="{self.qop}"'
        if self.opaque is not None:
            text += f", opaque={quote(self.opaque)}"
        return text + ", stale=true" if self.stale else text


def choose(values: Iterable[str]) -> Challenge:
    """The strongest challenge that we can answer (RFC 8760 §2.4). Raises SipRemoteError where there is none."""
    best: Challenge | None = None
    problem = "no challenge"
    order = list(ALGORITHMS)
    for value in values:
        try:
            challenge = Challenge.parse(value)
        except SipRemoteError as error:
            problem = str(error)
            continue
        if best is None or order.index(challenge.algorithm) < order.index(best.algorithm):
            best = challenge
    if best is None:
        raise SipRemoteError(problem)
    return best


def _bytes(text: str) -> bytes:
    """Text as it came off the wire, which need not have been UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _response(
    algorithm: str, user: str, realm: str, password: str, method: str, uri: str, nonce: str, counted: str, body: bytes
) -> str:
    """The digest itself (RFC 7616 §3.4.1); `counted` is `nc:cnonce:qop`, or empty without qop."""
    digest = ALGORITHMS[algorithm]
    secret = digest(_bytes(f"{user}:{realm}:{password}"))
    asked = f"{method}:{uri}"
    if counted.endswith(":auth-int"):
        asked += f":{digest(body)}"
    middle = f"{nonce}:{counted}" if counted else nonce
    return digest(_bytes(f"{secret}:{middle}:{digest(_bytes(asked))}"))


def authorization(
    challenge: Challenge,
    method: str,
    uri: str,
    user: str,
    password: str,
    *,
    cnonce: str,
    count: int = 1,
    body: bytes = b"",
) -> str:
    """The Authorization or Proxy-Authorization value that answers a challenge; `count` is the nonce's use, from 1."""
    counted = f"{count:08x}:{cnonce}:{challenge.qop}" if challenge.qop else ""
    response = _response(
        challenge.algorithm, user, challenge.realm, password, method, uri, challenge.nonce, counted, body
    )
    text = (
        f"Digest username={quote(user)}, realm={quote(challenge.realm)}, nonce={quote(challenge.nonce)}, "
        f'uri={quote(uri)}, response="{response}", algorithm={challenge.algorithm}'
    )
    if counted:
        text += f", qop={challenge.qop}, nc={count:08x}, cnonce={quote(cnonce)}"
    if challenge.opaque is not None:
        text += f", opaque={quote(challenge.opaque)}"
    return text


class Verdict(StrEnum):
    """What an Authorization header was worth."""

    GOOD = "good"
    MISSING = "missing"
    STALE = "stale"
    BAD = "bad"


class Authenticator:
    """The asking side: makes nonces, checks answers, and refuses a nonce count that was used before.

    A nonce says when it was made and is signed, so that nothing is kept of it until somebody has answered it rightly:
    whoever only asks, however often, makes no other's nonce stale.
    """

    def __init__(
        self,
        realm: str,
        password_of: Callable[[str], str | None],
        secret: bytes,
        life: float = NONCE_LIFE,
        algorithms: Sequence[str] = tuple(ALGORITHMS),
        qops: Sequence[str] = QOPS,
    ) -> None:
        """`password_of` returns a user's password or None; `secret` signs nonces and must be random.

        `algorithms`: of ALGORITHMS, what is offered and taken, best first. Telephones of before RFC 8760 look at the
        first offer alone and know only MD5. `qops`: of QOPS, what is offered and taken.
        """
        self.realm = realm
        self._qops = tuple(qops)
        self._algorithms = tuple(algorithms)
        self._password_of = password_of
        self._secret = secret
        self._life = life
        self._made = 0
        self._used: OrderedDict[str, int] = OrderedDict()
        """The highest count of each nonce that was answered, the one longest unused first."""
        self._forgotten = -math.inf
        """When the youngest was made of the nonces whose count was forgotten."""

    def challenges(self, now: float, *, stale: bool = False) -> list[str]:
        """The WWW-Authenticate values of a 401, best algorithm first; `now` in seconds."""
        nonce = self._nonce(now)
        qop = ",".join(self._qops)
        return [str(Challenge(self.realm, nonce, algorithm, qop, stale=stale)) for algorithm in self._algorithms]

    def check(self, value: str | None, method: str, now: float, body: bytes = b"") -> tuple[Verdict, str]:
        """Check an Authorization value; returns the verdict and the user named. Raises SipRemoteError.

        Who answers without qop, as before RFC 2617, is let in once a nonce where qop auth would be: nothing counts.
        """
        if value is None or value.strip().partition(" ")[0].lower() != "digest":
            return Verdict.MISSING, ""
        given = parse_digest(value)
        user, nonce, uri = given.get("username", ""), given.get("nonce", ""), given.get("uri", "")
        algorithm = given.get("algorithm", "MD5").upper()
        qop = given.get("qop", "").lower()
        if given.get("realm") != self.realm or algorithm not in self._algorithms or (qop or "auth") not in self._qops:
            return Verdict.BAD, user
        made = self._made_at(nonce)
        if made is None:
            return Verdict.STALE, user
        password = self._password_of(user)
        counted = f"{given.get('nc', '')}:{given.get('cnonce', '')}:{qop}" if qop else ""
        due = _response(algorithm, user, self.realm, password or "", method, uri, nonce, counted, body)
        if password is None or not hmac.compare_digest(_bytes(due), _bytes(given.get("response", "").lower())):
            return Verdict.BAD, user
        try:
            count = int(given.get("nc", ""), 16) if qop else 1
        except ValueError:
            return Verdict.BAD, user
        last = self._used.get(nonce)
        unknown = last is None and made <= self._forgotten
        if now - made > self._life or unknown or count <= (last or 0):
            return Verdict.STALE, user
        self._used[nonce] = count
        self._used.move_to_end(nonce)
        if len(self._used) > MAX_NONCES:
            oldest, _ = self._used.popitem(last=False)
            self._forgotten = max(self._forgotten, self._made_at(oldest) or 0.0)
        return Verdict.GOOD, user

    def _nonce(self, now: float) -> str:
        self._made += 1
        stamp = f"{now:.3f}.{self._made}"
        return f"{stamp}.{self._sign(stamp)}"

    def _sign(self, stamp: str) -> str:
        return hmac.new(self._secret, _bytes(stamp), hashlib.sha256).hexdigest()[:32]

    def _made_at(self, nonce: str) -> float | None:
        stamp, _, signature = nonce.rpartition(".")
        if not hmac.compare_digest(_bytes(self._sign(stamp)), _bytes(signature)):
            return None
        return float(stamp.rpartition(".")[0])
