"""Old records of the ledger that go, the index beside it, and streams."""

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from auth.chain import Broken, Walk, algorithm, entries_of, linked
from auth.heads import Heads
from auth.indexing import IndexCheck
from auth.marks import mark_of, subject_term
from auth.reading import Registrar
from auth.retention import kept_for, prune
from auth.succession import Signed, signed_heads
from demo.postgres import Postgres
from store.journal import Entry, Journal, Span
from tests.ledgers import NUMBER, SECRET, Kept, answer, kept

_OLD = "2020-01-01T00:00:00.000000+00:00"
_LATER = "2026-01-01T00:00:00.000000+00:00"
_CUT = datetime(2024, 1, 1, tzinfo=UTC)


async def _aged(place: Kept, old: int, young: int) -> Journal:
    journal = Journal(place.store, mark_of)
    record = Registrar.of(SECRET, algorithm()).record(answer())
    records = [{"time": _OLD, **record}] * old + [{"time": _LATER, **record}] * young
    entries = await journal.append(lambda last: linked(algorithm(), records, last))
    Heads(place.heads, lambda: place.key).write(entries[-1])
    return journal


async def _pruned(place: Kept, monkeypatch: pytest.MonkeyPatch) -> Heads:
    monkeypatch.setattr("auth.retention._SEGMENT", 10)
    monkeypatch.setattr("store.postings._BLOCK", 4)
    heads = Heads(place.heads, lambda: place.key)
    journal = await _aged(place, 25, 15)
    assert await prune(journal, heads, _CUT) == 25
    return heads


async def test_what_is_left_is_as_it_was_written_from_the_checkpoint_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path) as place:
        await _pruned(place, monkeypatch)
        entries = await place.entries()
        check = IndexCheck()
        check.should(entries)
        async for part in Journal(place.store, mark_of).index():
            check.has(part)
    signed = signed_heads(place.heads, place.key.public_key())
    walk = Walk(signed.hashes, signed.removed)
    walk.steps(entries)
    walk.end()

    assert set(signed.removed) == {10, 20, 25}
    assert (walk.began, walk.records, walk.sequence) == (25, 18, 43)
    assert [orjson.loads(body)["through"] for body in walk.others] == [10, 20, 25]
    assert check.agrees


async def test_tampered_copies_of_a_ledger_that_was_cut_are_all_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path) as place:
        heads = await _pruned(place, monkeypatch)
        heads.write((await place.entries())[-1])
        lines = await place.lines()
    signed = signed_heads(place.heads, place.key.public_key())
    chance = random.Random(1)
    copies: list[Sequence[str]] = []
    for _ in range(50):
        at, place_in = chance.randrange(len(lines)), chance.randrange(20, 60)
        other = "b" if lines[at][place_in] != "b" else "c"
        edited = lines[at][:place_in] + other + lines[at][place_in + 1 :]
        copies += [
            [*lines[:at], edited, *lines[at + 1 :]],
            [*lines[:at], *lines[at + 1 :]],
            lines[:at],
        ]
    records = [
        {k: v for k, v in orjson.loads(line).items() if k not in {"previous", "hash"}}
        for line in lines
    ]
    anew = linked(algorithm(), records[1:], None)
    found = [_is_found(signed, entries_of(copy)) for copy in copies]

    assert not _is_found(signed, entries_of(lines))
    assert found == [True] * 150
    assert _is_found(signed, anew)
    assert _is_found(Signed(signed.hashes), entries_of(lines))  # without the checkpoints


def _is_found(signed: Signed, entries: Any) -> bool:
    walk = Walk(signed.hashes, signed.removed)
    try:
        walk.steps(entries)
        walk.end()
    except Broken:
        return True
    return False


_CHANGES = (
    "DELETE FROM ledger WHERE sequence > 25",
    "DELETE FROM ledger_checkpoint",
    "UPDATE ledger_checkpoint SET sequence = 99",
    "UPDATE ledger SET hash = ''",
    "DELETE FROM ledger_posting",
    "UPDATE ledger_posting SET sequence = sequence + 99",
)


async def test_after_a_cut_the_tables_refuse_changes_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = (
        "INSERT OR REPLACE INTO ledger SELECT sequence, 'x', hash FROM ledger",
        "INSERT OR REPLACE INTO ledger_posting "
        "SELECT bucket, sequence, part, x'', x'' FROM ledger_posting",
    )
    async with kept(tmp_path) as place:
        await _pruned(place, monkeypatch)
        for change in (*_CHANGES, *again):
            with pytest.raises(DBAPIError, match="append only"):
                async with place.store.begin() as connection:
                    await connection.exec_driver_sql(change)
        left = len(await place.entries())

    assert left == 18


async def test_postgresql_cuts_and_refuses_in_the_same_way(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(postgres.create_database, "cut")
    async with kept(tmp_path, url=postgres.url("cut")) as place:
        await _pruned(place, monkeypatch)
        for change in (*_CHANGES, "TRUNCATE ledger_checkpoint", "TRUNCATE ledger_posting"):
            with pytest.raises(DBAPIError, match="append only"):
                async with place.store.begin() as connection:
                    await connection.exec_driver_sql(change)
        await Journal(place.store, mark_of).index_again(await place.entries())
        signed = signed_heads(place.heads, place.key.public_key())
        walk = Walk(signed.hashes, signed.removed)
        walk.steps(await place.entries())

    assert (walk.began, walk.records) == (25, 18)


async def test_a_ledger_is_never_emptied(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        heads = Heads(place.heads, lambda: place.key)
        journal = await _aged(place, 3, 0)
        removed = await prune(journal, heads, _CUT)
        records = await place.records()

    assert removed == 3
    assert [(each["sequence"], each["kind"]) for each in records] == [(4, "pruned"), (5, "pruned")]


async def test_a_broken_ledger_is_not_cut(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        heads = Heads(place.heads, lambda: place.key)
        journal = await _aged(place, 3, 1)
        other = sqlite3.connect(tmp_path / "store.db")
        other.executescript(
            "DROP TRIGGER ledger_no_update;"
            "UPDATE ledger SET body = replace(body, 'clerk', 'other') WHERE sequence = 2"
        )
        other.close()
        with pytest.raises(Broken, match="record 2: it is not what was written"):
            await prune(journal, heads, _CUT)
        left = len(await place.entries())

    assert (left, len(place.heads.read_bytes().splitlines())) == (4, 1)


async def test_records_that_were_written_anew_with_an_old_time_are_not_cut(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        heads = Heads(place.heads, lambda: place.key)
        journal = await _aged(place, 0, 4)
        records = [{**orjson.loads(entry.body), "time": _OLD} for entry in await place.entries()]
        anew = linked(algorithm(), [_without_place(record) for record in records], None)
        with closing(sqlite3.connect(tmp_path / "store.db")) as other:
            other.execute("DROP TRIGGER ledger_no_update")
            for entry in anew:
                told = entry.body, entry.hash, entry.sequence
                other.execute("UPDATE ledger SET body = ?, hash = ? WHERE sequence = ?", told)
            other.commit()
        with pytest.raises(Broken, match="record 4: it is not what was signed"):
            await prune(journal, heads, _CUT)
        left = len(await place.entries())

    assert (left, len(place.heads.read_bytes().splitlines())) == (4, 1)


async def test_what_no_head_confirms_is_not_cut(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        heads = Heads(place.heads, lambda: place.key)
        journal = await _aged(place, 3, 0)
        record = _without_place(orjson.loads((await place.entries())[0].body))
        await journal.append(lambda last: linked(algorithm(), [record] * 3, last))
        removed = await prune(journal, heads, _CUT)
        left = [each["sequence"] for each in await place.records()]

    assert (removed, left) == (3, [4, 5, 6, 7])


def _without_place(record: dict[str, Any]) -> dict[str, Any]:
    own = {"sequence", "algorithm", "previous"}
    return {name: value for name, value in record.items() if name not in own}


@pytest.mark.parametrize(("text", "days"), [("3y", 1098), ("400d", 400), ("forever", None)])
def test_how_long_records_are_kept_is_written_in_years_or_days(text: str, days: int | None) -> None:
    assert kept_for(text) == (None if days is None else timedelta(days=days))


@pytest.mark.parametrize("text", ["", "3", "0d", "-1d", "3 years", "99999y"])
def test_another_time_to_keep_records_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time to keep records"):
        kept_for(text)


async def test_an_index_with_a_row_less_or_more_is_not_what_the_records_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", 2)
    async with kept(tmp_path) as place:
        for _ in range(6):
            await place.ledger.record(answer())
        journal, entries = Journal(place.store, mark_of), await place.entries()

        async def agrees() -> bool:
            check = IndexCheck()
            check.should(entries)
            async for part in journal.index():
                check.has(part)
            return check.agrees

        found = [await agrees()]
        other = sqlite3.connect(tmp_path / "store.db")
        other.executescript(
            "DROP TRIGGER ledger_posting_no_delete; DROP TRIGGER ledger_posting_no_update"
        )
        for change in (
            "DELETE FROM ledger_posting WHERE sequence = 3",
            "UPDATE ledger_posting SET terms = x'' WHERE sequence = 1",
            "INSERT INTO ledger_posting VALUES (3, 3, 7, x'00000007', x'01')",
        ):
            other.executescript(change)
            found.append(await agrees())
            await journal.index_again(entries)
            found.append(await agrees())
        other.close()

    assert found == [True, False, True, False, True, False, False]


async def test_a_store_from_before_there_was_an_index_gets_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", 2)
    path = tmp_path / "store.db"
    entries = linked(algorithm(), [{"time": _OLD, "kind": "answer", "account": "a"}] * 3, None)
    old = sqlite3.connect(path)
    old.executescript(
        "CREATE TABLE ledger (sequence BIGINT NOT NULL PRIMARY KEY, body TEXT, hash TEXT);"
        "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END;"
        "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END;"
    )
    old.executemany("INSERT INTO ledger VALUES (?, ?, ?)", entries)
    old.commit()
    old.close()
    async with kept(tmp_path) as place:
        await place.ledger.record(answer())
        check = IndexCheck()
        check.should(await place.entries())
        async for part in Journal(place.store, mark_of).index():
            check.has(part)

    assert check.agrees


_FORMER = {
    "rows_of_terms": """
CREATE TABLE ledger_term (term BIGINT, sequence BIGINT, PRIMARY KEY (term, sequence));
CREATE TABLE ledger_time (time BIGINT, sequence BIGINT, PRIMARY KEY (time, sequence));
INSERT INTO ledger_term SELECT 7, sequence FROM ledger;
INSERT INTO ledger_time SELECT 7, sequence FROM ledger;
DROP TABLE ledger_posting
""",
    "rows_of_records": """
CREATE TABLE ledger_index (sequence BIGINT, part BIGINT, PRIMARY KEY (sequence, part));
INSERT INTO ledger_index SELECT sequence, 0 FROM ledger;
DROP TABLE ledger_posting
""",
}


async def _as_before(place: Kept, layout: str) -> None:
    async with place.store.begin() as connection:
        for statement in _FORMER[layout].split(";"):
            await connection.exec_driver_sql(statement)


@pytest.mark.parametrize("layout", _FORMER)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_store_whose_index_had_another_layout_gets_one_anew(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, kind: str, layout: str
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", 2)
    url = ""
    if kind == "postgresql":
        await asyncio.to_thread(postgres.create_database, layout)
        url = postgres.url(layout)
    async with kept(tmp_path, url=url) as place:
        await asyncio.gather(*(place.ledger.record(answer()) for _ in range(3)))
        await _as_before(place, layout)
    async with kept(tmp_path, url=url) as place:
        await place.ledger.record(answer())
        journal, entries, check = Journal(place.store, mark_of), await place.entries(), IndexCheck()
        check.should(entries)
        async for part in journal.index():
            check.has(part)
        name = Registrar.of(SECRET, algorithm()).subject("person", NUMBER)
        found = await journal.latest(Span(subject_term(name)), 3)
        for change in ("UPDATE ledger SET hash = ''", "DELETE FROM ledger_posting"):
            with pytest.raises(DBAPIError, match="append only"):
                async with place.store.begin() as connection:
                    await connection.exec_driver_sql(change)

    assert (check.agrees, [each.sequence for each in found]) == (True, [4, 3, 2])


async def test_a_stream_has_a_record_before_one_for_each_batch_and_one_at_its_end(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as place:
        told = answer()
        intent = await place.ledger.intent(told)
        await intent.delivered(told.readings)
        await intent.close(7)
        records = await place.records()

    assert [(each["kind"], each.get("intent"), each["rows"]) for each in records] == [
        ("intent", None, 1),
        ("delivery", 1, 1),
        ("close", 1, 7),
    ]


async def test_no_time_in_the_ledger_is_before_the_one_of_the_record_before(
    tmp_path: Path,
) -> None:
    entries = linked(algorithm(), [{"time": _LATER}, {"time": _OLD}], None)
    (last,) = linked(algorithm(), [{"time": _OLD}], Entry(*entries[-1]))

    assert [orjson.loads(each.body)["time"] for each in (*entries, last)] == [_LATER] * 3
