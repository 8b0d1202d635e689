"""The ledger: durable together, whole or nothing, and no tampering unseen."""

import asyncio
import hashlib
import hmac
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from auth import chain
from auth.chain import Broken, Walk, algorithm, entries_of, linked
from auth.heads import Heads, private_key, public_key
from auth.marks import mark_of
from auth.reading import Registrar
from auth.subject_keys import SubjectKeys, derived
from auth.succession import signed_heads
from contract.errors import AuditUnavailable
from demo.postgres import Postgres
from store.journal import Entry, Journal
from tests.ledgers import NAME, NUMBER, SECRET, answer, kept, raw_bytes


async def test_a_record_says_who_read_what_of_whom_and_no_value(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        await place.ledger.record(answer())
        (record,) = await place.records()

    subject = Registrar.of(SECRET, algorithm()).subject("person", NUMBER)
    operation = record.pop("operation")
    assert record.pop("key") == derived(SECRET).id
    assert {**record, "time": record["time"][-6:]} == {
        "sequence": 1,
        "algorithm": "sm3",
        "time": "+00:00",
        "kind": "answer",
        "account": "clerk",
        "office": [["township_clerk", "320205106"]],
        "department": "",
        "purpose": "救助 #",
        "readings": [
            {
                "entity": "Resident",
                "fields": {
                    "restricted": {"idNumber": "masked"},
                    "personal": {"name": "shown", "sex": "hidden"},
                },
                "named": ["Resident.name"],
                "rows": 1,
                "subjects": [subject],
            }
        ],
        "sources": ["population"],
        "rows": 1,
        "outcome": ["OK"],
        "previous": "",
    }
    assert (operation["name"], len(operation["hash"]), len(subject)) == ("Q#", 64, 32)


def test_a_person_is_called_otherwise_under_another_secret() -> None:
    called = {
        Registrar.of(secret, algorithm()).subject("person", NUMBER)
        for secret in (SECRET, SECRET[::-1])
    }

    assert len(called) == 2


@pytest.mark.parametrize("used", ["sm3", "sha256"])
def test_a_person_is_called_by_half_of_an_hmac(used: str) -> None:
    key = derived(SECRET)
    whole = hmac.new(key.key, f"person\0{NUMBER}".encode(), used).hexdigest()

    assert Registrar(key, used).subject("person", NUMBER) == whole[:32]


def test_without_sm3_records_are_hashed_with_sha_256(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "algorithms_available", {"sha256", "md5"})

    (entry,) = linked(algorithm(), [{"kind": "answer"}], None)

    assert orjson.loads(entry.body)["algorithm"] == "sha256"
    assert entry.hash == hashlib.sha256(entry.body.encode()).hexdigest()


async def test_answers_that_wait_share_a_commit_and_each_has_its_record(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        asked = [place.ledger.record(answer(document=f"{{ a{n} }}")) for n in range(200)]
        await asyncio.gather(*asked)
        records = await place.records()
        commits = place.ledger.commits

    assert [record["sequence"] for record in records] == list(range(1, 201))
    assert len({record["operation"]["hash"] for record in records}) == 200
    assert commits <= 10


async def test_what_is_recorded_is_in_the_file_before_the_answer_may_leave(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        for count in (1, 2, 3):
            await place.ledger.record(answer())
            other = sqlite3.connect(tmp_path / "store.db")
            seen = other.execute("SELECT count(*) FROM ledger").fetchone()
            modes = [other.execute(f"PRAGMA {name}").fetchone() for name in ("journal_mode",)]
            other.close()
            assert (seen, modes) == ((count,), [("wal",)])
        async with place.store.connect() as connection:
            found = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one()

    assert found == 2  # FULL


async def test_processes_that_write_at_once_make_one_chain(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    async with kept(tmp_path) as one, kept(tmp_path / "other", url=url) as other:
        for _ in range(20):
            await asyncio.gather(one.ledger.record(answer()), other.ledger.record(answer()))
        walk = Walk({})
        walk.steps(await one.entries())
        heads = [one, other]

    found = [signed_heads(place.heads, place.key.public_key()).hashes for place in heads]
    assert (walk.sequence, max(max(found[0]), max(found[1]))) == (40, 40)


@pytest.mark.parametrize("change", ["UPDATE ledger SET hash = ''", "DELETE FROM ledger"])
async def test_the_table_refuses_changes(tmp_path: Path, change: str) -> None:
    async with kept(tmp_path) as place:
        await place.ledger.record(answer())
        with pytest.raises(DBAPIError, match="append only"):
            async with place.store.begin() as connection:
                await connection.exec_driver_sql(change)
        records = await place.records()

    assert len(records) == 1


async def test_postgresql_keeps_the_same_ledger(tmp_path: Path, postgres: Postgres) -> None:
    await asyncio.to_thread(postgres.create_database, "ledger")
    url = postgres.url("ledger")
    async with kept(tmp_path, url=url) as place:
        await asyncio.gather(*(place.ledger.record(answer()) for _ in range(50)))
        walk = Walk({})
        walk.steps(await place.entries())
        for change in ("UPDATE ledger SET hash = ''", "DELETE FROM ledger", "TRUNCATE ledger"):
            with pytest.raises(DBAPIError, match="append only"):
                async with place.store.begin() as connection:
                    await connection.exec_driver_sql(change)
        await Journal(place.store, mark_of).create()

    assert (walk.sequence, place.ledger.commits < 10) == (50, True)


async def test_a_locked_store_refuses_and_recovers_and_the_gap_is_told(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        await place.ledger.record(answer())
        lock = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        asked = [place.ledger.record(answer()) for _ in range(3)]
        refused = await asyncio.gather(*asked, return_exceptions=True)
        during = place.ledger.reasons
        lock.execute("ROLLBACK")
        lock.close()
        while place.ledger.reasons:
            await place.records()
        await place.ledger.record(answer())
        records = await place.records()

    assert [type(each) for each in refused] == [AuditUnavailable] * 3
    assert during == ("AUDIT_UNAVAILABLE",)
    assert [(record["kind"], record.get("refused")) for record in records] == [
        ("answer", None),
        ("gap", 3),
        ("answer", None),
    ]


async def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    limits = [0]

    def limited(connection: Connection) -> None:
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {limits[0] or 1_000_000}")
        cursor.close()

    async with kept(tmp_path) as place:
        writing = place.ledger._journal._transactions._file
        assert writing is not None
        event.listen(writing.engine, "begin", limited)
        await place.ledger.record(answer())
        limits[0] = 1
        with pytest.raises(AuditUnavailable):
            await asyncio.gather(
                *(place.ledger.record(answer(document="x" * n)) for n in range(200))
            )
        during, limits[0] = place.ledger.reasons, 0
        while place.ledger.reasons:
            await place.records()
        await place.ledger.record(answer())
        walk = Walk({})
        walk.steps(await place.entries())

    assert (during, walk.sequence) == (("AUDIT_UNAVAILABLE",), 3)


async def test_without_a_key_to_name_people_answers_are_refused_and_the_gap_is_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "subjects"
    async with kept(tmp_path, keys=SubjectKeys(SECRET, path)) as place:
        path.write_text("no key")
        asked = [place.ledger.record(answer()) for _ in range(3)]
        refused = await asyncio.gather(*asked, return_exceptions=True)
        during = place.ledger.reasons
        path.unlink()
        while place.ledger.reasons:
            await place.records()
        await place.ledger.record(answer())
        records = await place.records()

    assert [type(each) for each in refused] == [AuditUnavailable] * 3
    assert during == ("AUDIT_UNAVAILABLE",)
    assert [(each["kind"], each.get("refused")) for each in records] == [
        ("gap", 3),
        ("answer", None),
    ]


async def test_an_answer_whose_asker_has_gone_is_recorded_all_the_same(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        asked = asyncio.create_task(place.ledger.record(answer()))
        await asyncio.sleep(0)
        asked.cancel()
        await place.ledger.record(answer())
        records = await place.records()

    assert (asked.cancelled(), len(records)) == (True, 2)


async def test_heads_that_cannot_be_written_are_told_and_made_up_for(tmp_path: Path) -> None:
    async with kept(tmp_path, every_records=1) as place:
        place.heads.mkdir()
        await place.ledger.record(answer())
        while not place.ledger.reasons:
            await place.records()
        during = place.ledger.reasons
        place.heads.rmdir()
        while place.ledger.reasons:
            await place.records()
        found = signed_heads(place.heads, place.key.public_key()).hashes

    assert (during, set(found)) == (("AUDIT_HEADS_UNWRITTEN",), {1})


async def test_heads_are_signed_after_so_many_records_or_seconds(tmp_path: Path) -> None:
    (tmp_path / "often").mkdir()
    async with kept(tmp_path, every_records=3) as place:
        for _ in range(7):
            await place.ledger.record(answer())
    async with kept(tmp_path / "often", every_seconds=0) as often:
        for _ in range(2):
            await often.ledger.record(answer())

    assert set(signed_heads(place.heads, place.key.public_key()).hashes) == {3, 6, 7}
    assert set(signed_heads(often.heads, often.key.public_key()).hashes) == {1, 2}


async def test_a_ledger_that_is_closed_or_has_too_much_to_do_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.ledger._WAITING", 3)
    async with kept(tmp_path) as place:
        asked = [place.ledger.record(answer()) for _ in range(5)]
        ended = await asyncio.gather(*asked, return_exceptions=True)
    with pytest.raises(AuditUnavailable):
        await place.ledger.record(answer())

    assert ended[:3] == [1, 2, 3]
    assert [type(each) for each in ended[3:]] == [AuditUnavailable] * 2


def test_a_key_of_another_kind_is_refused() -> None:
    key = Ed448PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(ValueError, match="is no Ed25519 key"):
        private_key(pem)
    with pytest.raises(ValueError, match="is no Ed25519 key"):
        public_key(public)


Tampering = Callable[[random.Random, list[str]], Sequence[str]]


def _edited(chance: random.Random, lines: list[str]) -> Sequence[str]:
    at = chance.randrange(len(lines))
    place = chance.randrange(len(lines[at]))
    other = chance.choice([each for each in '0a{}",' if each != lines[at][place]])
    return [*lines[:at], lines[at][:place] + other + lines[at][place + 1 :], *lines[at + 1 :]]


def _dropped(chance: random.Random, lines: list[str]) -> Sequence[str]:
    at = chance.randrange(len(lines) - 1)
    return [*lines[:at], *lines[at + 1 :]]


def _swapped(chance: random.Random, lines: list[str]) -> Sequence[str]:
    one, other = sorted(chance.sample(range(len(lines)), 2))
    changed = list(lines)
    changed[one], changed[other] = lines[other], lines[one]
    return changed


def _truncated(chance: random.Random, lines: list[str]) -> Sequence[str]:
    return lines[: chance.randrange(len(lines))]


def _rehashed(chance: random.Random, lines: list[str]) -> Sequence[str]:
    """Do what an insider does who can write anything but has no key."""
    records = [orjson.loads(line) for line in lines]
    at = chance.randrange(len(records))
    if chance.random() < 0.5:
        records[at]["account"] = "somebody else"
    else:
        del records[at]
    bare = [
        {name: value for name, value in record.items() if name not in _LINKS} for record in records
    ]
    entries = linked(algorithm(), bare, None)
    assert _first_bad(Walk({}), [chain.line_of(entry) for entry in entries]) is None
    return [chain.line_of(entry) for entry in entries]


_LINKS = frozenset({"sequence", "algorithm", "previous", "hash"})


def _first_bad(walk: Walk, lines: Sequence[str]) -> int | None:
    try:
        walk.steps(entries_of(lines))
        walk.end()
    except Broken as broken:
        return broken.sequence
    return None


@pytest.mark.parametrize("tampering", [_edited, _dropped, _swapped, _truncated, _rehashed])
async def test_a_hundred_tampered_copies_are_all_found(
    tmp_path: Path, tampering: Tampering
) -> None:
    async with kept(tmp_path, every_records=10) as place:
        for _ in range(10):
            await asyncio.gather(*(place.ledger.record(answer()) for _ in range(4)))
        lines = await place.lines()
    heads = signed_heads(place.heads, place.key.public_key()).hashes
    chance = random.Random(tampering.__name__)

    copies = [tampering(chance, lines) for _ in range(100)]
    found = [_first_bad(Walk(heads), copy) for copy in copies]
    first_changed = [
        next((at for at, line in enumerate(lines, 1) if copy[at - 1 : at] != [line]), 0)
        for copy in copies
    ]

    assert _first_bad(Walk(heads), lines) is None
    assert (max(heads), len(lines), found.count(None)) == (40, 40, 0)
    if tampering is not _rehashed:  # only the next head knows of that
        assert found == first_changed


async def test_a_head_that_another_key_signed_is_refused(tmp_path: Path) -> None:
    async with kept(tmp_path) as place, kept(tmp_path) as insider:
        await place.ledger.record(answer())
    lines = place.heads.read_bytes().splitlines()
    assert len(lines) == 1
    Heads(place.heads, lambda: insider.key).write(Entry(1, "", "0" * 64))

    with pytest.raises(ValueError, match="heads:2: this head was not signed with the key"):
        signed_heads(place.heads, place.key.public_key())


async def test_two_heads_of_one_record_are_refused(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        await place.ledger.record(answer())
    Heads(place.heads, lambda: place.key).write(Entry(1, "", "0" * 64))

    with pytest.raises(ValueError, match="heads:2: another head of record 1 was signed too"):
        signed_heads(place.heads, place.key.public_key())


async def test_nothing_of_a_person_is_in_the_files_in_clear(tmp_path: Path) -> None:
    async with kept(tmp_path) as place:
        asked = f'{{ resident(idNumber: "{NUMBER}") {{ name }} # {NAME} }}'
        await place.ledger.record(answer(document=asked))
        content = raw_bytes(tmp_path)

    assert b"township_clerk" in content
    assert [each for each in (NUMBER, NUMBER[:17], NAME) if each.encode() in content] == []


def test_fifty_thousand_records_are_checked_in_a_second_or_two() -> None:
    record = Registrar.of(SECRET, algorithm()).record(answer())
    entries = linked(algorithm(), [record] * 50_000, None)
    begun = time.process_time()
    walk = Walk({50_000: entries[-1].hash})
    walk.steps(entries)
    walk.end()

    assert (walk.agreed, time.process_time() - begun < 2.0) == (50_000, True)
