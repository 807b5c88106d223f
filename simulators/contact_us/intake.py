"""Takes submissions from every channel alike: once each, flagged, within limits, kept before the sender is answered."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable
from typing import Final

from harness.errors import RemoteError
from harness.transport.context import Context
from simulators.contact_us.limits import Window, Windows
from simulators.contact_us.receipts import receipt_mail
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.store import Had, New, Store
from simulators.contact_us.submission import MAX_TEXT, Channel, Kind, Submission
from simulators.contact_us.words import RiskWords
from simulators.events import Events

_LETTERS: Final = "23456789BCDFGHJKMNPQRSTVWXZ"
"""Of references: none that is taken for another, and no vowels, which would make words."""
MAX_LINKS: Final = 5
"""Links in a text that is not taken for spam."""
SAME_TEXT_S: Final = 3_600.0
RECEIPTS: Final = (5, 3_600.0)
"""Receipts by mail to one address within so many seconds: the form must not be a way to fill somebody's mailbox."""
MAX_SCANNED: Final = 200_000
"""Characters in which risk words are looked for: far more than anybody writes, and done in a moment."""
SHORT: Final = 20
"""Characters of a text too short to be compared with others."""


class FloodError(RemoteError):
    """Too much came, of one sender or of all."""

    def __init__(self, wait: float) -> None:
        super().__init__("too much came at once")
        self.wait = max(1, math.ceil(wait))
        """Whole seconds after which it may be sent again."""


class KeyReusedError(RemoteError):
    """A key under which something else was sent before."""


class Intake:
    """The way in."""

    def __init__(
        self,
        context: Context,
        settings: ContactUsSettings,
        store: Store,
        events: Events,
        words: RiskWords,
        epoch: float,
    ) -> None:
        """``epoch``: run time 0 in seconds since 1970."""
        self._rng = context.rng
        self._now = context.journal.now
        self._mailbox = settings.mailbox
        self._store, self._events, self._words = store, events, words
        self._epoch = epoch
        limits = settings.limits
        self._senders = Windows(limits.per_sender, limits.per_sender_s, self._now)
        self._all = Window(limits.in_all, limits.in_all_s)
        self._same = Windows(limits.same_text, SAME_TEXT_S, self._now)
        self._receipts = Windows(*RECEIPTS, self._now)
        self.taken: Callable[[], None] = lambda: None
        """Called when something was taken that is to be told to others."""

    async def take(
        self, submission: Submission, sender: str, *, answer: bool = True, answers: dict[str, str] | None = None
    ) -> Had:
        """Keep a submission of ``sender`` (an address); one that was kept before under its key is given again.

        ``answer``: whether a receipt goes to the person's mail address; ``answers``: header fields by which it answers
        a mail. Raises FloodError, KeyReusedError, DatabaseError and DatabaseGoneError; nothing is kept then.
        """
        had = await self._store.find_key(submission)
        if had is not None:
            return await self._repeated(submission, had)
        found = self._words.find("\n".join((submission.place, submission.text[:MAX_SCANNED])))
        if len(submission.text) > MAX_TEXT:
            submission = dataclasses.replace(submission, text=submission.text[:MAX_TEXT])
        flags = found.flags()
        if submission.kind is Kind.CRIME and "crime" not in flags:
            flags.append("crime")
        flood = self._flood(sender)
        if flood > 0 and "urgent" not in flags:
            await self._store.count("flood")
            self._events.tell("submission.flood", channel=submission.channel.value, wait=round(flood, 3))
            raise FloodError(flood)
        spam = submission.suspect or self._spam(submission)
        suspect = bool(spam) or flood > 0
        if suspect and "urgent" in flags:
            flags.append("check")
        aside = bool(spam) and "urgent" not in flags
        # What looks like spam makes no incident by itself: a person sees it in the CRM, urgent and to be checked.
        incident = not suspect and ("urgent" in flags or self._is_crime(submission, flags))
        reference, received = self._reference(), self._epoch + self._now()
        to = submission.person.email if answer and not aside else ""
        mail = None
        if to and self._receipts.wait(to.casefold()) == 0:
            mail = (to, receipt_mail(reference, received, to=to, mailbox=self._mailbox, answers=answers or {}))
        told = [*found.urgent, *found.vulnerable, *found.crime]
        state = "set_aside" if aside else "taken"
        had = await self._store.take(New(submission, reference, received, flags, told, state, incident, mail))
        if had.repeated:
            return await self._repeated(submission, had)
        self._note(sender, submission)
        if mail is not None:
            self._receipts.note(to.casefold())
        shown = {"reference": reference, "channel": submission.channel.value, "about": submission.kind.value}
        if aside:
            await self._store.count("spam")
            self._events.tell("submission.set_aside", **shown, why=spam)
        else:
            self._events.tell("submission.taken", **shown, flags=flags, files=len(submission.attachments))
        if "urgent" in flags:
            self._events.tell("submission.urgent", reference=reference, incident=incident)
        self.taken()
        return had

    async def _repeated(self, submission: Submission, had: Had) -> Had:
        if submission.channel is Channel.REST and submission.fingerprint() != had.fingerprint:
            raise KeyReusedError("this Idempotency-Key came before with something else")
        await self._store.count("repeated")
        self._events.tell("submission.repeated", reference=had.reference, channel=submission.channel.value)
        return had

    def _is_crime(self, submission: Submission, flags: list[str]) -> bool:
        """A crime is reported where the sender says so; a mail can't, and is taken by its words."""
        return submission.kind is Kind.CRIME or (submission.channel is Channel.MAIL and "crime" in flags)

    def _flood(self, sender: str) -> float:
        return max(self._senders.wait(sender), self._all.wait(self._now()))

    def _note(self, sender: str, submission: Submission) -> None:
        self._senders.note(sender)
        self._all.note(self._now())
        if len(submission.text) >= SHORT:
            self._same.note(_same(submission))

    def _spam(self, submission: Submission) -> str:
        lowered = submission.text.casefold()
        if lowered.count("http://") + lowered.count("https://") > MAX_LINKS:
            return f"more than {MAX_LINKS} links"
        if len(submission.text) >= SHORT and self._same.wait(_same(submission)) > 0:
            return "the same text came again and again"
        return ""

    def _reference(self) -> str:
        letters = "".join(self._rng.choice(_LETTERS) for _ in range(8))
        return f"CU-{letters[:4]}-{letters[4:]}"


def _same(submission: Submission) -> str:
    return hashlib.sha256(" ".join(submission.text.casefold().split()).encode()).hexdigest()
