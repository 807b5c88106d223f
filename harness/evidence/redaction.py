"""Masks what names a person in a run's artefacts: numbers, identities, names, addresses, places, tokens.

Two steps. `Masks.learn` reads every artefact for values that stand under a personal key (``caller=``, ``"alias":``, a
SIP display name); `Masks.mask` masks these wherever they stand, and what is known by its shape wherever it is: runs
of six digits and more, telephone numbers, e-mail addresses, postcodes, streets, pairs of coordinates, tokens. Bytes in,
as many bytes out, so that a protocol's lengths stay right.

A name that stands under no personal key and has no shape is not found, nor one without a capital but where it stands
under its key: `Masks` takes more of them by name.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal
from urllib.parse import quote, quote_plus

from harness.errors import LocalError
from harness.privacy import SECRET_KEYS

Audience = Literal["governance", "public"]
"""``governance`` sees who approved what and the equipment's network addresses; ``public`` does not."""

MAX_TERMS: Final = 50_000
"""Different values that are learnt of one run; with more, nothing is published."""
MAX_TERM: Final = 200
"""Bytes of a value that is looked for elsewhere; a longer one is masked where it stands alone."""
_LEAST: Final = 3
_NAMES: Final = frozenset(
    [
        "name",
        "first_name",
        "last_name",
        "surname",
        "forename",
        "forenames",
        "given_name",
        "family_name",
        "display_name",
        "full_name",
        "caller_name",
        "caller",
        "subject",
        "person",
        "patient",
        "victim",
        "suspect",
        "informant",
        "alias",
        "talker",
        "officer_name",
        "adviser_name",
        "contact",
        "approver",
        "signed_by",
    ]
)
"""Keys of values whose single words are a name, too."""
PERSONAL: Final = (
    _NAMES
    | SECRET_KEYS
    | frozenset(
        [
            "cli",
            "number",
            "telephone",
            "phone",
            "mobile",
            "msisdn",
            "dialled",
            "called_number",
            "calling_number",
            "issi",
            "mcptt_id",
            "gssi",
            "itsi",
            "tei",
            "originator",
            "destination_issi",
            "imsi",
            "imei",
            "iccid",
            "address",
            "street",
            "house",
            "postcode",
            "post_code",
            "town",
            "place",
            "location",
            "coordinates",
            "lat",
            "lon",
            "latitude",
            "longitude",
            "pos",
            "born",
            "date_of_birth",
            "dob",
            "email",
            "e_mail",
            "mail",
            "registration",
            "vrm",
            "vin",
            "user",
            "username",
            "login",
            "account",
            "text",
            "message",
            "note",
            "notes",
            "rationale",
            "narrative",
            "speech",
            "words",
            "said",
            "body",
            "transcript",
            "title",
            "remarks",
            "a1",
            "a2",
            "a3",
            "a4",
            "a5",
            "a6",
            "rd",
            "sts",
            "hno",
            "hns",
            "lmk",
            "loc",
            "nam",
            "pc",
        ]
    )
)
"""Keys whose values are masked whole."""
_KEYS: Final = "|".join(sorted((re.escape(each).replace("_", "[_-]?") for each in PERSONAL), key=len, reverse=True))
_QUOTED: Final = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_PAIR: Final = re.compile(
    rf"(?i)(?<![a-z0-9])({_KEYS})=({_QUOTED}|[^\s&,;<>)\]}}'\"]+)"
    rf"|(?<![a-z0-9])['\"]({_KEYS})['\"]\s*:\s*({_QUOTED}|[^\s,)\]}}]+)"
    rf"|<(?!text\b|title\b|body\b|address\b)(?:[\w.-]{{1,20}}:)?({_KEYS})\b[^<>]{{0,200}}>([^<>]*)<"
)
"""``key='value'`` and a form's ``key=value``; ``"key": "value"``; ``<key>value</key>`` where it is not a page's own."""
_DRAWN: Final = re.compile(rf"(?i)<text\b[^<>]{{0,500}}>[^<]*?\b(?:{_KEYS}) ([^<]+)<")
"""A ladder's label, from the first personal key to its end."""
_DISPLAYED: Final = re.compile(
    r"(?im)^(?:from|to|f|t|contact|m|cc|reply-to|p-asserted-identity|p-preferred-identity|remote-party-id)[ \t]*:[ \t]*"
    r"(?:\"([^\"\r\n]+)\"|([^\"<>\r\n:;]*[^\"<>\r\n:;\s])\s*<)|^(?:subject|s)[ \t]*:[ \t]*([^\r\n]+)"
)
_URI_USER: Final = re.compile(r"(?i)\b(?:sips?|tel|mailto|im|pres):([^@\s;<>\"']{1,100})")
_CREDENTIALS: Final = re.compile(
    r"(?im)^(?:proxy-)?authorization[ \t]*:[ \t]*\w+[ \t]+([^\r\n]+)|\bbearer\s+([\w.~+/=-]+)|inline:([\w+/=|-]+)"
    r"|^(?:set-)?cookie[ \t]*:[ \t]*([^\r\n]+)"
)
_SHAPES: Final = tuple(
    re.compile(each)
    for each in (
        r"(?<![\w.])(?:\+|\(?0)\d[\d ().-]{6,}\d",  # a number written with gaps
        r"(?<![\d.])\d{6,}",  # a number, an identity; not a fraction of a second
        r"(?i)(?!x+@)[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+",  # e-mail; a URI's user is crossed out by now
        r"(?i)\b[A-Z]{1,2}\d[A-Z\d]?(?:[ +]|%20)?\d[ABD-HJLNP-UW-Z]{2}\b",  # postcode
        r"(?i)\b(?:flat )?\d{1,4}[a-z]?,? (?:[\w'-]{1,30} ){1,4}"
        r"(?:street|road|avenue|lane|drive|place|terrace|crescent|court|close|way|gardens|square|st|rd|ave)\b",
        r"-?\b\d{1,3}\.\d{3,}\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}",  # latitude and longitude
        r"(?i)\b(?=[a-f]*\d)[0-9a-f]{8,}\b",  # a PDU or a key in hexadecimal
        r"\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*",  # a JSON Web Token
        r"\b(?=[\w+/-]*\d)(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])[A-Za-z0-9+/_-]{20,}={0,2}",  # a token
        r"(?m)^[A-Za-z0-9+/]{24,}={0,2}\r?$",  # a line of base64
    )
)
_NETWORK: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_HARMLESS: Final = re.compile(r"(?i)\A(?:\d{1,3}|true|false|none|null|\W*|x+)\Z")
_PLAIN_WORD: Final = re.compile(r"[a-z]+(?:[-_][a-z]+)*(?:-?\d{1,3})?\Z")
"""A word without capitals, such as a role: masked under its key, and not looked for elsewhere."""
_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019-])+")


class RedactionError(LocalError):
    """An artefact can't be made fit to be shown; nothing is published."""


class Masks:
    """What is known of a run's personal data."""

    def __init__(self, audience: Audience, *, keep: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        """``keep``: words that name no person, such as the testbed's components; ``names``: more to be masked."""
        self._audience = audience
        self._keep = {each.lower() for each in keep}
        self._terms: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None
        for each in names:
            self._terms[each.strip()] = None

    def learn(self, data: bytes) -> None:
        """Take the values under personal keys. Raises RedactionError for more of them than are kept."""
        text = data.decode("utf-8", errors="surrogateescape")
        for match in _PAIR.finditer(text):
            key, value = next((match[i], match[i + 1]) for i in (1, 3, 5) if match[i] is not None)
            self.learn_value(key, _bare(value))
        for match in _DISPLAYED.finditer(text):
            self._learn_name(next(each for each in match.groups() if each))
        for match in _URI_USER.finditer(text):
            self._learn(match[1])

    def learn_value(self, key: str, value: str) -> None:
        """Take one value that stands under ``key``, where the key is personal."""
        name = _plain(key)
        if name in _NAMES:
            self._learn_name(value)
        elif name in PERSONAL:
            self._learn(value)

    def _learn_name(self, value: str) -> None:
        self._learn(value)
        if not self._kept(value):
            for word in _WORD.findall(value):
                if word[0].isupper():
                    self._learn(word)

    def _learn(self, value: str) -> None:
        value = value.strip()
        size = len(value.encode("utf-8", errors="surrogateescape"))
        if not _LEAST <= size <= MAX_TERM or self._kept(value) or _PLAIN_WORD.match(value) or value in self._terms:
            return
        if len(self._terms) >= MAX_TERMS:
            raise RedactionError(f"more than {MAX_TERMS} different personal values in one run; nothing is published")
        self._terms[value] = None
        self._pattern = None

    def _kept(self, value: str) -> bool:
        return value.lower() in self._keep or _HARMLESS.match(value) is not None

    def mask(self, data: bytes) -> bytes:
        """Return ``data`` masked, of the same length."""
        data = _PAIR_BYTES.sub(self._pair, data)
        text = data.decode("latin-1")
        if "<svg" in text[:1_000]:
            text = _DRAWN.sub(_groups, text)
        text = _CREDENTIALS.sub(_groups, text)
        text = _DISPLAYED.sub(self._unless_kept, text)
        text = _URI_USER.sub(self._unless_kept, text)
        for shape in _SHAPES:
            text = shape.sub(lambda match: _crossed(match[0]), text)
        if self._audience == "public":
            text = _NETWORK.sub(lambda match: _crossed(match[0]), text)
        if self._terms:
            if self._pattern is None:
                self._pattern = _looked_for(self._terms)
            text = self._pattern.sub(lambda match: _crossed(match[0]), text)
        return text.encode("latin-1")

    def mask_text(self, text: str) -> str:
        """Return a text masked."""
        return self.mask(text.encode("utf-8", errors="surrogateescape")).decode("utf-8", errors="replace")

    def mask_value(self, value: Any, key: str = "") -> Any:
        """Return what JSON holds with its texts masked, and whole numbers of six digits and more."""
        if isinstance(value, dict):
            return {self.mask_text(str(name)): self.mask_value(each, str(name)) for name, each in value.items()}
        if isinstance(value, list):
            return [self.mask_value(each, key) for each in value]
        if _plain(key) in PERSONAL and not self._kept(str(value)):
            return _crossed(str(value))
        if isinstance(value, str):
            return self.mask_text(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 100_000:
            return _crossed(str(value))
        return value

    def mask_json(self, data: bytes) -> bytes:
        """Return a JSON document masked as `mask_value` does; what is none as `mask` does."""
        try:
            return json.dumps(self.mask_value(json.loads(data)), ensure_ascii=False, indent=1).encode()
        except (ValueError, RecursionError):
            return self.mask(data)

    def _pair(self, match: re.Match[bytes]) -> bytes:
        group = next(i for i in (2, 4, 6) if match[i] is not None)
        whole, start = match[0], match.start(group) - match.start()
        value = match[group]
        if self._kept(_bare(value.decode("utf-8", errors="surrogateescape"))):
            return whole
        masked = _crossed(value.decode("latin-1")).encode("latin-1")
        return whole[:start] + masked + whole[start + len(value) :]

    def _unless_kept(self, match: re.Match[str]) -> str:
        told = next(each for each in match.groups() if each)
        return match[0] if self._kept(told) else _groups(match)


_PAIR_BYTES: Final = re.compile(_PAIR.pattern.encode())


def _plain(key: str) -> str:
    return key.lower().replace("-", "_")


def _bare(value: str) -> str:
    """Return a value without the quotes around it, and as it was before it was escaped."""
    if value[:1] not in {"'", '"'} or value[-1:] != value[:1]:
        return html.unescape(value)
    try:
        return str(json.loads('"' + value[1:-1].replace('"', '\\"') + '"')) if "\\" in value else value[1:-1]
    except ValueError:
        return value[1:-1]


def _crossed(text: str) -> str:
    """Return as many x; quotes, spaces and line ends stay."""
    return "".join(each if each in " \t\r\n'\"" else "x" for each in text)


def _groups(match: re.Match[str]) -> str:
    """Return the match with its first told group crossed out."""
    index = next(i for i, each in enumerate(match.groups(), 1) if each)
    start, end = match.start(index) - match.start(), match.end(index) - match.start()
    return match[0][:start] + _crossed(match[0][start:end]) + match[0][end:]


def _forms(term: str) -> Iterator[str]:
    """Yield the ways a value is written in a page, a form, JSON or Python's text, as latin-1 reads their bytes."""
    ways = {term, term.upper(), term.lower(), term.title()} if not term.isascii() else {term}
    for way in ways:
        told = way.encode("utf-8", errors="surrogateescape").decode("latin-1")
        yield told
        yield html.escape(way).encode("utf-8", errors="surrogateescape").decode("latin-1")
        yield html.escape(told, quote=False)
        yield quote(way, safe="", errors="surrogateescape")
        yield quote_plus(way, errors="surrogateescape")
        yield json.dumps(way)[1:-1]
        yield json.dumps(told, ensure_ascii=False)[1:-1]
        yield repr(way)[1:-1].encode("utf-8", errors="surrogateescape").decode("latin-1")


def _looked_for(terms: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of all forms of all values: a tree by characters, so that many cost little more than one."""
    tree: dict[str, Any] = {}
    for form in {form for term in terms for form in _forms(term)}:
        node = tree
        for each in form.lower():
            node = node.setdefault(each, {})
        node[""] = {}
    # Whole words and whole numbers, and what follows an escaped line's end.
    before, after = r"(?:(?<![a-zA-Z0-9])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))", r"(?![a-zA-Z0-9])"
    return re.compile(f"(?i){before}(?:{_branches(tree)}){after}")


def _branches(tree: dict[str, Any]) -> str:
    """Return a tree as a pattern; a run without forks is taken in one step, as values may be long."""
    ends, ways = "" in tree, []
    for first, node in tree.items():
        if not first:
            continue
        run, here = first, node
        while len(here) == 1 and "" not in here:
            (character, here), *_ = here.items()
            run += character
        rest = _branches(here) if set(here) != {""} else ""
        ways.append(re.escape(run) + rest)
    joined = ways[0] if len(ways) == 1 and not ends else f"(?:{'|'.join(ways)})"
    return joined + ("?" if ends else "")
