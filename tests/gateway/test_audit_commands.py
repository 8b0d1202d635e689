"""The commands that keep the ledger in order, as typed: prune, rotate and reindex."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from auth.chain import algorithm, linked
from auth.marks import mark_of
from auth.reading import Registrar
from gateway.auditing import Keeping, heads_of
from server import main
from store.journal import Journal
from tests.gateway.test_auditing import keeping_in, opened_store
from tests.ledgers import SECRET, answer

_OLD, _YOUNG = "2020-01-01T00:00:00.000000+00:00", "2026-01-01T00:00:00.000000+00:00"


async def _written(keeping: Keeping) -> None:
    """Write three records that are older than three years, and two that are not."""
    record = Registrar.of(SECRET, algorithm()).record(answer())
    records = [{"time": time, **record} for time in (_OLD, _OLD, _OLD, _YOUNG, _YOUNG)]
    async with opened_store(keeping) as store:
        journal = Journal(store, mark_of)
        await journal.create()
        entries = await journal.append(lambda last: linked(algorithm(), records, last))
    heads_of(keeping).write(entries[-1])


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    kept = keeping_in(tmp_path)
    asyncio.run(_written(kept))
    return kept


def _run(keeping: Keeping, *words: str) -> int:
    return main(["audit", *words, "--store", keeping.store, "--key-file", str(keeping.key_file)])


def test_prune_removes_what_is_older_and_the_rest_can_be_checked(
    keeping: Keeping, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = [
        _run(keeping, "prune", "--keep-records", "forever"),
        _run(keeping, "prune"),
        _run(keeping, "prune"),
        _run(keeping, "verify", "--index"),
    ]
    lines = capsys.readouterr().out.splitlines()

    assert statuses == [0, 0, 0, 0]
    assert lines[:3] == [f"{count} records were removed" for count in (0, 3, 0)]
    assert lines[3].startswith("3 records are as they were written, behind 3 that were removed")


def test_prune_refuses_a_time_that_is_none_and_removes_nothing(
    keeping: Keeping, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = _run(keeping, "prune", "--keep-records", "soon")
    told = capsys.readouterr()
    assert _run(keeping, "verify") == 0

    assert (refused, told.out) == (1, "")
    assert "is no time to keep records: write 3y, 400d or forever" in told.err
    assert capsys.readouterr().out.startswith("5 records are as they were written")


def test_rotate_gives_the_heads_another_key_and_people_other_names(
    keeping: Keeping, capsys: pytest.CaptureFixture[str]
) -> None:
    before = keeping.public_key_file.read_bytes()
    heads = _run(keeping, "rotate")
    after = keeping.public_key_file.read_bytes()
    people = _run(keeping, "rotate", "--subjects")
    lines = capsys.readouterr().out.splitlines()
    checked = _run(keeping, "verify")

    assert [heads, people, checked] == [0, 0, 0]
    assert before != after
    assert len(set(lines)) == len(lines) == 2
    assert all(line.startswith("the key is ") for line in lines)
    assert keeping.subject_keys_file.stat().st_mode & 0o077 == 0
    assert capsys.readouterr().out.startswith("7 records are as they were written")


def test_reindex_adds_what_the_index_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", 2)
    keeping = keeping_in(tmp_path)
    asyncio.run(_written(keeping))
    with closing(sqlite3.connect(keeping.store.partition("///")[2])) as store:
        store.execute("DROP TRIGGER ledger_posting_no_delete")
        store.execute("DELETE FROM ledger_posting")
        store.commit()
    lacking = _run(keeping, "verify", "--index")
    told = capsys.readouterr().err
    statuses = [_run(keeping, "reindex"), _run(keeping, "verify", "--index")]

    assert (lacking, statuses) == (1, [0, 0])
    assert "the index is not what the records say; run audit reindex" in told
    assert "the index has 5 records" in capsys.readouterr().out
