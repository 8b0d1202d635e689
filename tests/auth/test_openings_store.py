import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from demo.postgres import Postgres
from store.database import open_store
from store.openings import BrokenGlass, KeptOpening, OpeningStore

FIRST = KeptOpening("a", "clerk", "township_clerk", "320205106", "emergency", "sealed", 1.0, 10.0)
SECOND = KeptOpening("b", "clerk", "township_clerk", "320205106", "window", "sealed", 2.0, 20.0)
OTHERS = KeptOpening("c", "other", "township_clerk", "320411107", "emergency", "sealed", 1.0, 10.0)
GLASS = BrokenGlass("a", "clerk", "township_clerk", "320205106", "", "hash", "报警", 1.0, 10.0)
THEIRS = BrokenGlass("c", "other", "township_clerk", "320411107", "", "hash", "报警", 1.0, 10.0)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_openings_end_are_closed_and_told_to_auditors_of_their_division(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        await asyncio.to_thread(server.create_database, "openings")
        url = server.url("openings")
    engine = await open_store(url)
    store = OpeningStore(engine)
    for _ in range(2):
        await store.create()
    for each in ((FIRST, GLASS), (SECOND, None), (OTHERS, THEIRS)):
        await store.add(*each)

    live = [await _live(store, now) for now in (5.0, 10.0, 20.0)]
    closed = [
        await store.close(account, named, now)
        for account, named, now in (
            ("other", "b", 5.0),
            ("clerk", "a", 10.0),
            ("clerk", "b", 5.0),
            ("clerk", "b", 5.0),
        )
    ]
    left = await _live(store, 5.0)
    queues = [await store.queue(scopes, 10) for scopes in (["32"], ["3202"], ["3203"], [])]
    seen = [await store.acknowledge("a", account, 6.0) for account in ("auditor", "second")]
    after, told = await store.queue(["32"], 10), await store.told("a")
    nothing = await store.told("b")
    await store.add(replace(SECOND, id="d", begun_at=200_000.0, ends_at=200_001.0))
    forgotten = await _live(store, 5.0)
    await engine.dispose()

    assert live == [[FIRST, SECOND], [SECOND], []]
    assert closed == [False, False, True, False]
    assert left == [FIRST]
    assert queues == [[GLASS, THEIRS], [GLASS], [], []]
    assert seen == [True, False]
    assert after == [THEIRS]
    assert told is not None
    assert (told.acknowledged_by, told.acknowledged_at) == ("auditor", 6.0)
    assert nothing is None
    assert [each.id for each in forgotten] == ["d"]


async def _live(store: OpeningStore, now: float) -> list[KeptOpening]:
    return [each for each in await store.live(now) if each.account == "clerk"]
