"""The access ledger of a server: what it is opened with, and what is kept of an answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.access_log import AccessLog
from auth.heads import Heads, KeyFiles, private_key, private_pem, public_pem
from auth.ledger import Ledger
from auth.marks import mark_of
from auth.reading import Answer
from auth.subject_keys import SubjectKeys
from contract.errors import Forbidden, RateLimited
from gateway.secret import read_secret, write_once
from resolvers.context import RequestContext
from schema.errors import Told
from store.database import StoreUnavailable
from store.journal import Journal


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """Where the server keeps what it must not lose."""

    store: Annotated[
        str, Parameter(help="Database of the server itself; SQLite, or PostgreSQL when it grows.")
    ] = "sqlite+aiosqlite:///.state/store.db"
    key_file: Annotated[
        Path, Parameter(help="Secret behind ids and cursors; replicas share it, made if missing.")
    ] = Path(".state/key")
    heads: Annotated[
        Path | None,
        Parameter(
            name=("--heads", "--head"),
            help="Signed heads of the access ledger; beside the key file by default.",
        ),
    ] = None

    keep_records: Annotated[
        str, Parameter(help="How long records of the ledger are kept: 3y, 400d or forever.")
    ] = "3y"

    @property
    def heads_file(self) -> Path:
        """Return where the heads of the ledger are written."""
        return self.heads or self.key_file.with_name(f"{self.key_file.name}.heads")

    @property
    def signing_key_file(self) -> Path:
        """Return where the key is that heads are signed with."""
        return self.key_file.with_name(f"{self.key_file.name}.ledger")

    @property
    def public_key_file(self) -> Path:
        """Return where the key is that heads are checked with."""
        return self.key_file.with_name(f"{self.key_file.name}.ledger.pub")

    @property
    def subject_keys_file(self) -> Path:
        """Return where the keys are that people are named with, once there is a second one."""
        return self.key_file.with_name(f"{self.key_file.name}.subjects")

    @property
    def key_files(self) -> KeyFiles:
        """Return where both halves of the signing key are."""
        return KeyFiles(self.signing_key_file, self.public_key_file)


_DENIALS: Final = frozenset({Forbidden.code, RateLimited.code})


@dataclass(frozen=True, slots=True)
class Auditing:
    """The ledger as the edge knows it."""

    ledger: Ledger
    log: AccessLog
    heads: Heads

    async def keep(
        self, context: RequestContext, document: str, operation: str | None, answer: Told
    ) -> None:
        """
        Return when the record of an answer is durable; an answer about nobody has none.

        Raises: AuditUnavailable.
        """
        codes = frozenset(_codes(answer))
        if not (context.readings or context.consulted or codes & _DENIALS):
            return
        sources = frozenset(call.source for call in context.calls)
        readings = tuple(context.readings)
        await self.ledger.record(
            Answer(
                context.principal,
                operation,
                document,
                readings,
                sources,
                codes,
                tuple(context.consulted),
            )
        )


@asynccontextmanager
async def auditing(store: AsyncEngine, keeping: Keeping) -> AsyncIterator[Auditing]:
    """
    Keep a ledger in the store as long as the block lasts; the last head is signed at its end.

    Raises: StoreUnavailable where there is no table and none can be made; ValueError, OSError for
            key files that cannot be used.
    """
    journal = Journal(store, mark_of)
    heads = heads_of(keeping)
    keys = subject_keys(keeping)
    keys.held()
    try:
        await journal.create()
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable("the ledger's table cannot be made in the store") from error
    ledger = Ledger(journal, keys, heads)
    writer = asyncio.create_task(ledger.run())
    try:
        yield Auditing(ledger, AccessLog(journal, keys), heads)
    finally:
        ledger.close()
        await writer


def subject_keys(keeping: Keeping) -> SubjectKeys:
    """
    Return the keys that people are named with.

    Raises: ValueError, OSError.
    """
    return SubjectKeys(read_secret(keeping.key_file), keeping.subject_keys_file)


def heads_of(keeping: Keeping) -> Heads:
    """
    Return the heads and the key to sign them with; the first time both halves are made.

    Raises: ValueError, OSError.
    """
    path = keeping.signing_key_file
    if not path.exists():
        write_once(path, private_pem())
    key = private_key(path.read_bytes())
    if not keeping.public_key_file.exists():
        write_once(keeping.public_key_file, public_pem(key))
    files, written = keeping.key_files, keeping.heads_file
    return Heads(written, lambda: files.current(written))


def _codes(answer: Told) -> Iterator[str]:
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else ():
        yield str(error["extensions"]["code"])
