"""Makes of a message's Markdown the HTML and the plain text that clients show, and finds whom it mentions.

Markdown is CommonMark with soft breaks kept; raw HTML is not let through, except that a mention is written
``<@personEmail:address|name>``, ``<@personId:id|name>`` or ``<@all>``, as Webex has it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from markdown_it import MarkdownIt

from simulators.webex.shapes import Person

_MENTION: Final = re.compile(r"<@(?:(all)|(personEmail|personId):([^|<>\s]{1,512})(?:\|([^<>]{0,128}))?)>")
_TAG: Final = re.compile(r"<[^>]*>")
_MARK: Final = "\ufdd0"
"""A noncharacter, which stands for a mention while Markdown is made into HTML."""
_parser = MarkdownIt("commonmark", {"html": False, "breaks": True})


@dataclass(slots=True)
class Rendered:
    """A message as it is shown."""

    html: str
    text: str
    people: list[str] = field(default_factory=list)
    """The ids of those mentioned, each once."""
    groups: list[str] = field(default_factory=list)


def render(markdown: str, whom: Callable[[str, str], Person | None]) -> Rendered:
    """Make HTML and text of ``markdown``; ``whom`` finds a person by ``personEmail`` or ``personId`` in the room."""
    shown: list[tuple[str, str]] = []
    people: list[str] = []
    groups: list[str] = []

    def mention(found: re.Match[str]) -> str:
        everybody, by, value, label = found.groups()
        if everybody:
            groups.append("all")
            kind, attribute, name = "groupMention", 'data-group-type="all"', "All"
        else:
            person = whom(by, value)
            if person is None:
                return label or value
            people.append(person.id)
            kind, attribute, name = "person", f'data-object-id="{person.id}"', label or person.display_name
        tag = f'<spark-mention data-object-type="{kind}" {attribute}>{html.escape(name)}</spark-mention>'
        shown.append((tag, name))
        return f"{_MARK}{len(shown) - 1}{_MARK}"

    made = _parser.render(_MENTION.sub(mention, markdown.replace(_MARK, ""))).strip()
    if made.count("<p>") == 1 and made.startswith("<p>") and made.endswith("</p>"):
        made = made.removeprefix("<p>").removesuffix("</p>")
    text = html.unescape(_TAG.sub("", made))
    for number, (tag, name) in enumerate(shown):
        made = made.replace(f"{_MARK}{number}{_MARK}", tag)
        text = text.replace(f"{_MARK}{number}{_MARK}", name)
    return Rendered(made, text, list(dict.fromkeys(people)), list(dict.fromkeys(groups)))
