"""The index finds the places that going through all entries finds, however large blocks are."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from demo.postgres import Postgres
from store.database import open_store
from store.journal import Entry, Journal, Link, Mark, Span

# Alike but in the fifth byte, where the bucket is, alike but there, and within two in a row.
_TERMS = tuple(
    bytes.fromhex(each)
    for each in (
        "0000000000000000",
        "0000000001000000",
        "0100000000000000",
        "0001000000000000",
        "ffffffff3f000000",
        "ffffff003f000000",
    )
)
_ABSENT = bytes.fromhex("0000010000000000")


def _marked(entry: Entry) -> Mark:
    return Mark(entry.sequence, b"".join(_said(entry)))


def _said(entry: Entry) -> list[bytes]:
    return [_TERMS[int(each)] for each in entry.body]


def _link(random: Random, count: int) -> Link:
    def linked(last: Entry | None) -> Sequence[Entry]:
        first = last.sequence + 1 if last else 1
        return [_entry(random, first + at) for at in range(count)]

    return linked


def _entry(random: Random, place: int) -> Entry:
    said = (str(at) for at in range(len(_TERMS)) if random.random() < 1 / (at + 1.5))
    return Entry(place, "".join(said), "")


@asynccontextmanager
async def _journals(url: str, count: int) -> AsyncIterator[list[tuple[AsyncEngine, Journal]]]:
    """Yield some journals of one store, as other processes have them."""
    stores = [await open_store(url) for _ in range(count)]
    journals = [Journal(store, _marked) for store in stores]
    await journals[0].create()
    yield list(zip(stores, journals, strict=True))
    for store in stores:
        await store.dispose()


def _expected(entries: Sequence[Entry], span: Span, limit: int) -> list[int]:
    found = [
        entry.sequence
        for entry in reversed(entries)
        if span.has(entry.sequence)
        and (span.term is None or span.term in _said(entry))
        and (not span.among or not set(span.among).isdisjoint(_said(entry)))
    ]
    return found[:limit]


def _spans(last: int) -> list[Span]:
    amongs = (), (_TERMS[5],), (_TERMS[1], _TERMS[4]), (_ABSENT,)
    belows = None, 1, last // 2, last - 1, last + 9
    every = product((*_TERMS, _ABSENT), (0, last // 3, last), belows, amongs)
    return [Span(None, 3, last - 2), *(Span._make(each) for each in every)]


async def _differences(journal: Journal) -> list[tuple[Span, int]]:
    entries = [entry async for page in journal.pages() for entry in page]
    return [
        (span, limit)
        for span in _spans(entries[-1].sequence)
        for limit in (1, 7, 500)
        if [each.sequence for each in await journal.latest(span, limit)]
        != _expected(entries, span, limit)
    ]


@pytest.mark.parametrize("block", [1, 2, 16, 256])
async def test_the_index_finds_what_going_through_all_entries_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", block)
    random = Random(block)
    async with _journals(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", 1) as [(_, journal)]:
        for count in (1, 2, 60, 300, 1, 7):
            await journal.append(_link(random, count))
        different = await _differences(journal)

    assert different == []


async def test_writers_of_several_processes_make_one_index_in_postgresql(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", 8)
    await asyncio.to_thread(postgres.create_database, "index")
    random = Random(1)
    async with _journals(postgres.url("index"), 3) as opened:
        counts = [random.randint(1, 9) for _ in range(40)]
        appended = (
            opened[at % 3][1].append(_link(random, count)) for at, count in enumerate(counts)
        )
        await asyncio.gather(*appended)
        journal = opened[0][1]
        places = [each.place async for part in journal.index() for each in part]
        different = await _differences(opened[1][1])

    assert different == []
    assert max(places) // 8 == (sum(counts) + 1) // 8 - 1


@pytest.mark.parametrize("through", [3, 7, 16, 19])
async def test_after_a_cut_and_a_mend_the_index_finds_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: int
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", 4)
    random = Random(through)
    async with _journals(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", 1) as [(store, journal)]:
        entries = await journal.append(_link(random, 21))
        await journal.cut(entries[through - 1], _link(random, 1))
        async with store.begin() as connection:
            await connection.exec_driver_sql("DROP TRIGGER ledger_posting_no_delete")
            await connection.exec_driver_sql("DELETE FROM ledger_posting WHERE bucket = 0")
        damaged = await _differences(journal)
        for _ in range(2):
            async for page in journal.pages():
                await journal.index_again(page)
        await journal.append(_link(random, 5))
        mended = await _differences(journal)

    assert (damaged != [], mended) == (through < 19, [])
