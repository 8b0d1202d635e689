"""
The access ledger of a server: what it is opened with, what is kept of an answer, how it is checked.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclopts import Parameter
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.chain import Broken, Walk, entries_of, line_of
from auth.heads import Heads, private_key, private_pem, public_key, public_pem, signed_heads
from auth.ledger import Ledger
from auth.reading import Answer
from contract.errors import Forbidden
from gateway.secret import read_secret, write_once
from resolvers.context import RequestContext
from schema.errors import Told
from store.database import StoreUnavailable, open_store
from store.journal import Entry, Journal


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


@dataclass(frozen=True, slots=True)
class Auditing:
    """The ledger as the edge knows it."""

    ledger: Ledger

    async def keep(
        self, context: RequestContext, document: str, operation: str | None, answer: Told
    ) -> None:
        """
        Return when the record of an answer is durable; an answer about nobody has none.

        Raises: AuditUnavailable.
        """
        codes = frozenset(_codes(answer))
        if not context.readings and Forbidden.code not in codes:
            return
        sources = frozenset(call.source for call in context.calls)
        readings = tuple(context.readings)
        await self.ledger.record(
            Answer(context.principal, operation, document, readings, sources, codes)
        )


@asynccontextmanager
async def auditing(store: AsyncEngine, keeping: Keeping) -> AsyncIterator[Auditing]:
    """
    Keep a ledger in the store as long as the block lasts; the last head is signed at its end.

    Raises: StoreUnavailable where there is no table and none can be made; ValueError, OSError for
            key files that cannot be used.
    """
    journal = Journal(store)
    heads = Heads(keeping.heads_file, signing_key(keeping))
    try:
        await journal.create()
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable("the ledger's table cannot be made in the store") from error
    ledger = Ledger(journal, read_secret(keeping.key_file), heads)
    writer = asyncio.create_task(ledger.run())
    try:
        yield Auditing(ledger)
    finally:
        ledger.close()
        await writer


def signing_key(keeping: Keeping) -> Ed25519PrivateKey:
    """
    Return the key to sign heads with; the first time both halves are made.

    Raises: ValueError, OSError.
    """
    path = keeping.signing_key_file
    if not path.exists():
        write_once(path, private_pem())
    key = private_key(path.read_bytes())
    if not keeping.public_key_file.exists():
        write_once(keeping.public_key_file, public_pem(key))
    return key


class LedgerBroken(Exception):
    """A ledger that cannot be trusted; the text says from which record on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A ledger that is as it was written: how long, and how far heads confirm that."""

    records: int
    heads: int
    agreed: int
    seconds: float

    def __str__(self) -> str:
        """Return it in words."""
        speed = self.records / self.seconds if self.seconds else 0.0
        behind = self.records - self.agreed
        told = f"{self.records} records are as they were written ({speed:,.0f} in a second); "
        if not self.heads:
            return f"{told}without heads nobody can tell whether all were written anew"
        return f"{told}{self.heads} heads confirm the first {self.agreed}, none the {behind} after"


async def verify(keeping: Keeping, export: Path | None) -> Verdict:
    """
    Check a ledger from its beginning: the one in the store, or an export.

    Raises: LedgerBroken; StoreUnavailable, OSError, ValueError for what cannot be read.
    """
    walk, begun = Walk(_heads(keeping)), perf_counter()
    try:
        if export is not None:
            await asyncio.to_thread(_walk_lines, walk, export)
        else:
            async with aclosing(pages(keeping)) as read:
                async for page in read:
                    walk.steps(page)
        walk.end()
    except Broken as broken:
        raise LedgerBroken(f"the ledger is broken: {broken}") from None
    return Verdict(walk.sequence, len(walk.heads), walk.agreed, perf_counter() - begun)


async def exported(keeping: Keeping) -> AsyncGenerator[str, None]:
    """Yield the ledger in the store as lines of JSON."""
    async with aclosing(pages(keeping)) as read:
        async for page in read:
            for entry in page:
                yield line_of(entry)


async def pages(keeping: Keeping) -> AsyncGenerator[Sequence[Entry], None]:
    """
    Yield the entries of the ledger in the store, in order.

    Raises: StoreUnavailable.
    """
    store = await open_store(keeping.store)
    try:
        async for page in Journal(store).pages():
            yield page
    except SQLAlchemyError as error:
        raise StoreUnavailable("the store has no ledger that can be read") from error
    finally:
        await store.dispose()


def _walk_lines(walk: Walk, export: Path) -> None:
    with export.open(encoding="utf-8", newline="\n") as lines:
        walk.steps(entries_of(lines))


def _heads(keeping: Keeping) -> Mapping[int, str]:
    """Return what was signed; nothing where no file was named and there is none."""
    if keeping.heads is None and not keeping.heads_file.exists():
        return _NO_HEADS
    return signed_heads(keeping.heads_file, public_key(keeping.public_key_file.read_bytes()))


_NO_HEADS: Final[Mapping[int, str]] = {}


def _codes(answer: Told) -> Iterator[str]:
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else ():
        yield str(error["extensions"]["code"])
