"""
What the access ledger costs: processor time of all threads for a record, while many record at once.

`python -m benchmarks.ledger` prints it for records of 5 and of 184 people.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclopts import App

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
from store.journal import Journal

app: Final = App(name="ledger", help=__doc__)
_ENTITIES: Final = core_entities()
_SHOWN: Final = {"name": "shown", "idNumber": "citizen_number", "sex": "shown"}
_GRANTS: Final = (Grant(0, TRUE, _SHOWN, frozenset()),)
_CLERK: Final = Principal("clerk", ("township_clerk",), ("320205106",))
_DOCUMENT: Final = "{ residents { nodes { name idNumber cases { number status } } } }"
_SECRET: Final = b"the key of a benchmark, 32 bytes"


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds of all threads for a record, and how many records shared a commit."""

    cpu_ms: float
    records_a_commit: float
    records_a_second: float


@app.default
def ledger_command(clients: int = 64, seconds: float = 3.0, rounds: int = 3) -> None:
    """Print what a record costs; the least of some rounds."""
    for people in (5, 184):
        found = [_measured(people, clients, seconds) for _ in range(rounds)]
        least = min(found, key=lambda each: each.cpu_ms)
        sys.stdout.write(
            f"{people} people: {least.cpu_ms:.3f} ms, {least.records_a_commit:.0f} records "
            f"a commit, {least.records_a_second:.0f} records a second\n"
        )


def _measured(people: int, clients: int, seconds: float) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_driven(Path(folder), _answers(people), clients, seconds))


async def _driven(folder: Path, answers: Iterator[Answer], clients: int, seconds: float) -> Figures:
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'store.db'}")
    journal, key = Journal(store, mark_of), Ed25519PrivateKey.generate()
    await journal.create()
    ledger = Ledger(journal, SubjectKeys(_SECRET), Heads(folder / "heads", lambda: key))
    writer, written = asyncio.create_task(ledger.run()), count()
    began, used = perf_counter(), process_time()

    async def client() -> None:
        while perf_counter() - began < seconds:
            await ledger.record(next(answers))
            next(written)

    await asyncio.gather(*(client() for _ in range(clients)))
    used, lasted, records = process_time() - used, perf_counter() - began, next(written)
    commits = ledger.commits
    ledger.close()
    await writer
    await store.dispose()
    return Figures(1000 * used / records, records / commits, records / lasted)


def _answers(people: int) -> Iterator[Answer]:
    """Yield answers of the shape of Q1 or Q2, again and again, about many people in all."""
    return cycle([_answer(range(at, at + people)) for at in range(0, 100_000, people)])


def _answer(people: range) -> Answer:
    residents = [f"32{each:015d}X" for each in people]
    listed = residents[: 1 + len(residents) // 4]
    readings = [_reading("Resident", listed), _reading("Resident", residents)]
    readings.append(_reading("Case", listed))
    return Answer(_CLERK, "Q", _DOCUMENT, readings, frozenset({"registry"}), frozenset())


def _reading(entity: str, subjects: list[str]) -> Reading:
    fields = frozenset(list(_ENTITIES[entity].fields)[:8])
    named = {"Resident.name"}
    return Reading(
        _ENTITIES[entity], fields, _GRANTS, lambda: named, subjects=subjects, rows=len(subjects)
    )


if __name__ == "__main__":
    app()
