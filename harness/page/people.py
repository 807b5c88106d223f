"""Accounts: who there is, their passwords (argon2id), one-time tokens and the browsers that are signed in."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from harness.errors import PageError
from harness.page.contract import Person, Role
from harness.page.store import Store, person_in
from harness.page.tables import PersonRow, SessionRow, TokenRow

ROLES: Final[tuple[str, ...]] = get_args(Role)
MAX_NAME: Final = 80
MIN_PASSWORD: Final = 12
"""Characters of a password, at least."""
MAX_PASSWORD: Final = 256
SESSION_S: Final = 12 * 3600
"""Seconds for which a browser stays signed in: a shift."""
TOKEN_S: Final = 15 * 60
"""Seconds for which a one-time token lets somebody in."""
MAX_PEOPLE: Final = 20_000
FAILURES: Final = 5
"""Wrong passwords for one name after which no more are looked at for a while."""
FAILURES_FROM_ONE: Final = 20
"""The same, from one address."""
FAILURES_WITHIN_S: Final = 300.0
MAX_WATCHED: Final = 10_000
"""Names and addresses whose wrong passwords are counted; the oldest are forgotten."""
_HASHER: Final = PasswordHasher()
_NOBODYS: Final = _HASHER.hash(secrets.token_urlsafe())
"""Checked where there is no such account, so that the answer takes as long."""


class TooManyError(PageError):
    """Too many wrong passwords came."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """An account to be made."""

    name: str
    role: str
    team: str = ""
    site: str = ""
    shift: str = ""

    def check(self) -> None:
        """Raise PageError for what an account can't have."""
        for what, text, most in (
            ("name", self.name, MAX_NAME),
            ("team", self.team, MAX_NAME),
            ("site", self.site, MAX_NAME),
            ("shift", self.shift, 40),
        ):
            if len(text) > most or not text.isprintable() or text != text.strip():
                raise PageError(f"{what} {text[:60]!r}: at most {most} printable characters, no space at its ends")
        if not self.name:
            raise PageError("an account needs a name")
        if self.role not in ROLES:
            raise PageError(f"found the role {self.role[:60]!r}; allowed: {', '.join(ROLES)}")


class People:
    """The accounts of one store."""

    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        """``now``: seconds since the epoch."""
        self._store, self._now = store, now
        self._failures: dict[str, list[float]] = {}

    def add(self, new: NewPerson, password: str | None = None) -> Person:
        """Make an account. Raises PageError where the name is taken or something does not fit."""
        new.check()
        hashed = None if password is None else hashed_password(password)

        def added(session: Session) -> Person:
            if session.scalar(select(PersonRow).where(PersonRow.name == new.name)) is not None:
                raise PageError(f"there is an account {new.name!r} already")
            if len(session.scalars(select(PersonRow.id).limit(MAX_PEOPLE)).all()) >= MAX_PEOPLE:
                raise PageError(f"there are {MAX_PEOPLE} accounts, and no more can be")
            row = PersonRow(
                name=new.name,
                role=new.role,
                team=new.team,
                site=new.site,
                shift=new.shift,
                password=hashed,
                disabled=False,
            )
            session.add(row)
            session.flush()
            return person_in(row)

        return self._store.transact(added)

    def all(self) -> list[tuple[Person, bool]]:
        """Everybody by name, and whether the account is disabled."""
        return self._store.transact(
            lambda session: [
                (person_in(row), row.disabled) for row in session.scalars(select(PersonRow).order_by(PersonRow.name))
            ]
        )

    def set_password(self, name: str, password: str) -> None:
        """Give an account a password; its browsers are signed out. Raises PageError."""
        hashed = hashed_password(password)

        def changed(session: Session) -> None:
            row = _named(session, name)
            row.password = hashed
            session.execute(delete(SessionRow).where(SessionRow.person_id == row.id))

        self._store.transact(changed)

    def disable(self, name: str) -> None:
        """Let an account in no more, now; its records stay. Raises PageError."""

        def changed(session: Session) -> None:
            row = _named(session, name)
            row.disabled = True
            for table in (SessionRow, TokenRow):
                session.execute(delete(table).where(table.person_id == row.id))

        self._store.transact(changed)

    def token(self, name: str) -> str:
        """Return a token that lets somebody in once, within TOKEN_S seconds. Raises PageError."""
        token, now = secrets.token_urlsafe(32), self._now()

        def made(session: Session) -> None:
            row = _named(session, name)
            if row.disabled:
                raise PageError(f"the account {name!r} is disabled")
            session.execute(delete(TokenRow).where(TokenRow.until < now))
            session.add(TokenRow(digest=_digest(token), person_id=row.id, until=now + TOKEN_S))

        self._store.transact(made)
        return token

    async def by_token(self, token: str) -> str | None:
        """Sign a browser in with a one-time token: return its session, or None."""

        def used(session: Session) -> str | None:
            row = session.get(TokenRow, _digest(token))
            if row is None:
                return None
            person_id, until = row.person_id, row.until
            session.delete(row)
            return self._begin(session, person_id) if self._now() < until else None

        return await self._store.run(used)

    async def by_password(self, name: str, password: str, address: str) -> str | None:
        """Sign a browser in: return its session, or None. Raises TooManyError."""
        whose = (f"name:{name[:MAX_NAME].casefold()}", FAILURES), (f"from:{address}", FAILURES_FROM_ONE)
        for key, most in whose:
            self._check_failures(key, most)
        row = await self._store.run(
            lambda session: session.scalar(select(PersonRow).where(PersonRow.name == name[:MAX_NAME]))
        )
        known = row.password if row is not None and not row.disabled else None
        # It counts as wrong until it is seen to be right: many at once are no way round the limit.
        at = self._now()
        for key, _ in whose:
            self._failures.setdefault(key, []).append(at)
        right = await asyncio.to_thread(_verify, known or _NOBODYS, password[:MAX_PASSWORD])
        if row is None or known is None or not right:
            return None
        for key, _ in whose:
            if at in self._failures.get(key, ()):
                self._failures[key].remove(at)
        person_id = row.id
        return await self._store.run(lambda session: self._begin(session, person_id))

    async def of_session(self, cookie: str) -> Person | None:
        """Who a session is of, or None."""

        def read(session: Session) -> Person | None:
            row = session.get(SessionRow, _digest(cookie))
            whose = session.get(PersonRow, row.person_id) if row is not None and self._now() < row.until else None
            return None if whose is None or whose.disabled else person_in(whose)

        return await self._store.run(read)

    async def end(self, cookie: str) -> None:
        """Sign a browser out."""
        await self._store.run(
            lambda session: session.execute(delete(SessionRow).where(SessionRow.digest == _digest(cookie)))
        )

    def _begin(self, session: Session, person_id: int) -> str | None:
        now, cookie = self._now(), secrets.token_urlsafe(32)
        whose = session.get(PersonRow, person_id)
        if whose is None or whose.disabled:
            return None
        session.execute(delete(SessionRow).where(SessionRow.until < now))
        session.add(SessionRow(digest=_digest(cookie), person_id=person_id, until=now + SESSION_S))
        return cookie

    def _check_failures(self, key: str, most: int) -> None:
        now = self._now()
        recent = [at for at in self._failures.pop(key, []) if now - FAILURES_WITHIN_S < at <= now]
        if recent:
            self._failures[key] = recent
        while len(self._failures) > MAX_WATCHED:
            del self._failures[next(iter(self._failures))]
        if len(recent) >= most:
            wait = recent[0] + FAILURES_WITHIN_S - now
            raise TooManyError(f"too many wrong passwords: try again in {max(1, round(wait / 60))} minutes")


def hashed_password(password: str) -> str:
    """Return what is kept of a password. Raises PageError where it is too short or long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise PageError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return _HASHER.hash(password)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _named(session: Session, name: str) -> PersonRow:
    row = session.scalar(select(PersonRow).where(PersonRow.name == name))
    if row is None:
        raise PageError(f"there is no account {name[:MAX_NAME]!r}; `iccs people list` tells who there is")
    return row


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
