"""The ledger over the years: new keys, old records that go, and the index beside it."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth.chain import Broken, Walk, algorithm, digest
from auth.heads import Heads, KeyFiles, private_key, private_pem, public_key, public_pem
from auth.marks import mark_of, subject_term
from auth.reading import PERSON, Registrar
from auth.subject_keys import SubjectKeys
from auth.succession import Signed, signed_heads
from store.journal import Entry, Journal, Span
from tests.ledgers import NUMBER, SECRET, Kept, answer, kept


@dataclass(frozen=True)
class Office:
    """A ledger whose keys lie in files."""

    kept: Kept
    files: KeyFiles
    writing: Heads

    async def rotate(self) -> None:
        journal = Journal(self.kept.store, mark_of)
        last = await journal.last()
        assert last is not None
        await asyncio.to_thread(self.files.hand_over, self.writing, last)

    def signed(self, key: bytes) -> Signed:
        return signed_heads(self.writing.path, public_key(key))


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    files = KeyFiles(folder / "private", folder / "public")
    files.private.write_bytes(private_pem())
    files.public.write_bytes(public_pem(private_key(files.private.read_bytes())))
    path = folder / "heads"
    writing = Heads(path, lambda: files.current(path), every_records=1)
    async with kept(folder, heads=writing) as place:
        yield Office(place, files, writing)


async def _signed(place: Office, sequence: int) -> None:
    while f'"sequence":{sequence},' not in _text(place.writing.path):
        await place.kept.records()


def _text(path: Path) -> str:
    return path.read_text("ascii") if path.exists() else ""


async def _rotated_twice(place: Office) -> list[bytes]:
    """Return the public keys of three times, each with a head of its own."""
    keys = []
    for sequence in (1, 2, 3):
        keys.append(place.files.public.read_bytes())
        await place.kept.ledger.record(answer())
        await _signed(place, sequence)
        if sequence < 3:
            await place.rotate()
    return keys


async def test_whoever_trusts_any_of_the_keys_can_follow_to_all(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        keys = await _rotated_twice(place)
        entries = await place.kept.entries()
    found = [place.signed(key) for key in keys]
    walk = Walk(found[0].hashes)
    walk.steps(entries)
    walk.end()

    assert len(set(keys)) == 3
    assert found[0] == found[1] == found[2]
    assert (set(found[0].hashes), len(found[0].keys), walk.agreed) == ({1, 2, 3}, 3, 3)


async def test_a_key_that_never_signed_is_not_trusted(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await _rotated_twice(place)

    with pytest.raises(ValueError, match="not signed with the key that is trusted"):
        place.signed(public_pem(Ed25519PrivateKey.generate()))


async def test_a_handover_that_is_missing_is_noticed(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        keys = await _rotated_twice(place)
    lines = place.writing.path.read_bytes().splitlines(keepends=True)
    handovers = [number for number, line in enumerate(lines) if b"handover" in line]

    assert len(handovers) == 2
    for gone in handovers:
        rest = [line for number, line in enumerate(lines) if number != gone]
        place.writing.path.write_bytes(b"".join(rest))
        for key in keys:
            with pytest.raises(ValueError, match="not signed with the key"):
                place.signed(key)


async def test_a_handover_that_somebody_else_wrote_is_refused(tmp_path: Path) -> None:
    (tmp_path / "insider").mkdir()
    async with office(tmp_path) as place, office(tmp_path / "insider") as insider:
        await place.kept.ledger.record(answer())
        await insider.kept.ledger.record(answer())
        await insider.rotate()
    handover = insider.writing.path.read_bytes().splitlines(keepends=True)[-1]
    old = private_key(place.files.private.read_bytes())
    told = {k: v for k, v in orjson.loads(handover).items() if k not in {"signature", "accepted"}}
    trusted = place.files.public.read_bytes()
    sound = place.writing.path.read_bytes()
    forged = [handover]
    for first in (old, private_key(insider.files.private.read_bytes())):
        raw = public_key(trusted).public_bytes_raw()
        changed = {**told, "from": _text_of(raw)}
        signature = _text_of(first.sign(orjson.dumps(changed)))
        # Signed by the old key but not accepted by the new one, and by a stranger.
        line = orjson.dumps({**changed, "signature": signature, "accepted": signature})
        forged.append(line + b"\n")

    for line in forged:
        place.writing.path.write_bytes(sound + line)
        with pytest.raises(ValueError, match="not signed with the key"):
            place.signed(trusted)


async def test_a_handover_in_the_name_of_another_key_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        before = place.files.public.read_bytes()
        await place.kept.ledger.record(answer())
        await _signed(place, 1)
        await place.rotate()
    path, key = place.writing.path, private_key(place.files.private.read_bytes())
    lines, other = path.read_bytes().splitlines(keepends=True), Ed25519PrivateKey.generate()
    told = {k: v for k, v in orjson.loads(lines[-1]).items() if k not in {"signature", "accepted"}}
    for name, is_good in ((key.public_key(), True), (public_key(before), False)):
        changed = {
            **told,
            "from": _text_of(name.public_bytes_raw()),
            "to": _text_of(other.public_key().public_bytes_raw()),
        }
        content = orjson.dumps(changed)
        changed["signature"] = _text_of(key.sign(content))
        changed["accepted"] = _text_of(other.sign(content))
        path.write_bytes(b"".join((*lines, orjson.dumps(changed), b"\n")))
        if is_good:
            assert len(place.signed(before).keys) == 3
        else:
            with pytest.raises(ValueError, match="not signed with the key"):
                place.signed(before)


def _text_of(content: bytes) -> str:
    return b64encode(content).decode()


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_change_of_keys_that_broke_off_is_brought_to_its_end(
    tmp_path: Path, *, is_told: bool
) -> None:
    async with office(tmp_path) as place:
        await place.kept.ledger.record(answer())
        await _signed(place, 1)
        before = place.files.private.read_bytes()
        first = place.files.public.read_bytes()
        await place.rotate()
        after = place.files.private.read_bytes()
        place.files.private.write_bytes(before)
        place.files.next.write_bytes(after if is_told else private_pem())
        if not is_told:
            place.files.private.write_bytes(after)
        await place.kept.ledger.record(answer())
        await _signed(place, 2)

    assert (place.files.private.read_bytes(), place.files.next.exists()) == (after, False)
    assert set(place.signed(first).hashes) == {1, 2}


async def test_a_record_that_was_exchanged_with_its_hash_is_not_what_the_next_one_follows(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as place:
        await asyncio.gather(*(place.ledger.record(answer()) for _ in range(8)))
        entries = list(await place.entries())
    found = []
    for at, entry in enumerate(entries):
        body = entry.body.replace('"account":"clerk"', '"account":"other"')
        other = Entry(entry.sequence, body, digest(algorithm(), body.encode()))
        copy = [*entries[:at], other, *entries[at + 1 :]]
        assert other.hash != entry.hash
        with pytest.raises(Broken) as caught:
            Walk({8: entries[-1].hash}).steps(copy)
        found.append(caught.value.sequence)

    assert found == [2, 3, 4, 5, 6, 7, 8, 8]


async def test_people_are_found_under_every_key_that_is_held(tmp_path: Path) -> None:
    keys = SubjectKeys(SECRET, tmp_path / "subjects")
    async with kept(tmp_path, keys=keys) as place:
        await place.ledger.record(answer())
        added = SubjectKeys(SECRET, tmp_path / "subjects").rotate()  # by another process
        await place.ledger.record(answer())
        records = await place.records()
        journal = Journal(place.store, mark_of)
        names = [Registrar(key, algorithm()).subject(PERSON, NUMBER) for key in keys.held()]
        found = [
            [entry.sequence for entry in await journal.latest(Span(subject_term(name)), 9)]
            for name in names
        ]

    assert [record["key"] for record in records] == [keys.held()[0].id, added.id]
    assert (len(set(names)), found) == (2, [[1], [2]])
    assert (tmp_path / "subjects").stat().st_mode & 0o077 == 0


def test_a_file_of_subject_keys_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "subjects"
    SubjectKeys(SECRET, path).rotate()
    text = path.read_text("ascii")
    for damaged in ("", text[1:], text.replace(" ", "  ", 1), "x y\n" + text):
        path.write_text(damaged, "ascii")
        with pytest.raises(ValueError, match="key"):
            SubjectKeys(SECRET, path).held()
