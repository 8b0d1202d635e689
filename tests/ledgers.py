"""A ledger over a store of its own, answers to record in it, and what came of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.chain import line_of
from auth.heads import Heads
from auth.ledger import Ledger
from auth.marks import mark_of
from auth.policy import Grant
from auth.principal import Principal
from auth.reading import Answer, Reading
from auth.subject_keys import SubjectKeys
from contract.predicate import TRUE
from schema.graph import core_entities
from store.database import open_store
from store.journal import Entry, Journal

SECRET = b"a secret of the tests, 32 bytes."
NUMBER, NAME = "11010519491231002X", "王小明"
CLERK = Principal("clerk", ("township_clerk",), ("320205106",), purpose=f"救助 {NUMBER}")
ACCESS = MappingProxyType({"name": "shown", "idNumber": "citizen_number", "sex": "hidden"})
SEEN = frozenset({"name", "idNumber", "sex", "village"})


def answer(number: str = NUMBER, document: str = "{ residents }") -> Answer:
    grant = Grant(0, TRUE, ACCESS, frozenset())
    resident = core_entities()["Resident"]
    reading = Reading(
        resident, SEEN, (grant,), lambda: {"Resident.name"}, subjects=[number], rows=1
    )
    return Answer(CLERK, "Q" + NUMBER, document, [reading], frozenset({"population"}), frozenset())


def raw_bytes(folder: Path) -> bytes:
    """Return the bytes of every file, those of the database that are not in their place too."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


@dataclass(frozen=True)
class Kept:
    """A ledger that is being written, and how to look at what it wrote."""

    folder: Path
    store: AsyncEngine
    ledger: Ledger
    key: Ed25519PrivateKey

    @property
    def heads(self) -> Path:
        return self.folder / "heads"

    async def entries(self) -> Sequence[Entry]:
        return [entry async for page in Journal(self.store, mark_of).pages() for entry in page]

    async def records(self) -> list[dict[str, Any]]:
        return [orjson.loads(entry.body) for entry in await self.entries()]

    async def lines(self) -> list[str]:
        return [line_of(entry) for entry in await self.entries()]


@asynccontextmanager
async def kept(
    folder: Path,
    every_records: int = 1_000,
    url: str = "",
    every_seconds: float = 3_600.0,
    *,
    heads: Heads | None = None,
    keys: SubjectKeys | None = None,
) -> AsyncIterator[Kept]:
    """Write a ledger as long as the block lasts."""
    store = await open_store(url or f"sqlite+aiosqlite:///{folder / 'store.db'}")
    journal, key = Journal(store, mark_of), Ed25519PrivateKey.generate()
    await journal.create()
    own = Heads(folder / "heads", lambda: key, every_records, every_seconds)
    ledger = Ledger(journal, keys or SubjectKeys(SECRET), heads or own)
    writer = asyncio.create_task(ledger.run())
    try:
        yield Kept(folder, store, ledger, key)
    finally:
        ledger.close()
        await writer
        await store.dispose()
