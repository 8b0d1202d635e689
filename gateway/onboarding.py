"""
One department's mapping file against its live system, without the files of the others.

What has to be right for the graph as a whole, such as policy, is the business of the whole folder.
"""

from asyncio import gather
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.document import Mistake, Mistakes
from contract.errors import SourceFailure
from onboarding.check import Report, Sources, check
from onboarding.neighbours import read_keys, samples
from schema.graph import core_entities
from sources.assembly import OpenedSource, open_source
from sources.declaration import Department
from sources.divisions import division_tree
from sources.graphql import GraphqlSource
from sources.guard import Guard
from sources.mapping import load_files


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of systems, and what their own schemas say against the files."""

    reports: tuple[Report, ...]
    mistakes: tuple[Mistake, ...]


async def check_files(
    files: Sequence[Path], folder: Path, environment: Mapping[str, str], keys: Path | None = None
) -> Checked:
    """
    Return a report on the systems of these files.

    `folder`: further mapping files, whose systems may give keys if they answer. `keys`: a file of
    keys for systems that are asked by key alone.
    Raises: Mistakes, with everything that is wrong with the files.
    """
    departments = load_files(files, core_entities(), environment)
    given = read_keys(keys, departments) if keys else {}
    others = _neighbours(files, folder, environment)
    tree = division_tree()
    async with _opened(departments) as opened, _opened(others) as neighbours:
        known = await samples(departments, zip(others, neighbours, strict=True))
        asked = Sources(
            {each.name: Guard(source, each.budget) for each, source in _pairs(departments, opened)},
            {each.name: source for each, source in _pairs(departments, opened)},
            given,
            known,
        )
        reports = await check(departments, asked, lambda code: tree.get(code) is not None)
        return Checked(reports, await _mistakes(opened))


def _pairs(
    departments: Sequence[Department], opened: Sequence[OpenedSource]
) -> list[tuple[Department, OpenedSource]]:
    return list(zip(departments, opened, strict=True))


def _neighbours(
    files: Sequence[Path], folder: Path, environment: Mapping[str, str]
) -> tuple[Department, ...]:
    """Return the other departments as far as their files are right and their addresses known."""
    core = core_entities()
    own = {path.resolve() for path in files}
    found: list[Department] = []
    for path in sorted(folder.glob("*.toml")):
        if path.resolve() in own:
            continue
        try:
            found.extend(load_files([path], core, environment))
        except Mistakes:
            continue
    return tuple(found)


@asynccontextmanager
async def _opened(departments: Sequence[Department]) -> AsyncIterator[list[OpenedSource]]:
    opened: list[OpenedSource] = []
    try:
        opened.extend(open_source(department) for department in departments)
        yield opened
    finally:
        await gather(*(source.aclose() for source in opened))


async def _mistakes(opened: Sequence[OpenedSource]) -> tuple[Mistake, ...]:
    found: list[Mistake] = []
    for source in opened:
        if isinstance(source, GraphqlSource):
            try:
                found.extend(await source.mistakes())
            except SourceFailure:
                continue
    return tuple(found)
