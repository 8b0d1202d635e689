"""
A system over HTTP asked page by page, for `check`: what came, and what was wrong with it.

Where a source refuses a whole answer, this tells how far it was good. Knows no principal.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from contract.predicate import TRUE, Predicate
from contract.read import ForEach, Read, Rows
from onboarding.trial import Allowance
from sources.declaration import Endpoint, MappedEntity
from sources.http_answer import Mistrusted, Page, Reader, Record, read_page, strict_json
from sources.http_paging import Series
from sources.http_question import Question, plan
from sources.http_source import HttpSource

PAGES: Final = 8
ROWS: Final = 1000
_EMPTY: Final = 3  # so many empty pages, and still a cursor, are no accident


@dataclass(slots=True)
class Walk:
    """
    The pages of one question as they came.

    `fault`: why the rest was not believed, in words of the mapping file; empty where all was well.
    """

    records: list[Record] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    answered: list[object] = field(default_factory=list)
    total: int | None = None
    finished: bool = False
    fault: str = ""

    @property
    def identities(self) -> Counter[tuple[object, ...]]:
        """Return how often each row came."""
        return Counter(record.identity for record in self.records)

    @property
    def is_endless(self) -> bool:
        """Return whether the system goes on to announce pages that have no rows."""
        return not self.finished and not any(self.lengths[-_EMPTY:]) and len(self.lengths) >= _EMPTY


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks for pages of one entity."""

    source: HttpSource
    mapped: MappedEntity
    endpoint: Endpoint
    allowance: Allowance

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields of the records' values."""
        return tuple(self.mapped.columns)

    def rows(self, walk: Walk) -> Rows:
        """Return what came as rows, each once."""
        once = {record.identity: record.values for record in reversed(walk.records)}
        return Rows(self.fields, list(reversed(once.values())))

    async def by_keys(self, for_each: ForEach | None, where: Predicate = TRUE) -> list[Question]:
        """
        Return the questions for the rows of these keys; for all rows where there are no keys.

        Raises: SourceFailure.
        """
        read = Read(self.mapped.entity.name, self.fields, where, for_each=for_each)
        with self.source.failures():
            requests = await self.source.requests(self.mapped, self.endpoint, self._until())
            return list(plan(self.mapped, self.endpoint, read, requests.writable).questions)

    async def walk(
        self, question: Question, *, size: int | None = None, pages: int = PAGES, start: int = 0
    ) -> Walk:
        """
        Return the pages of a question, at most so many; `start`: rows or pages to leave out.

        Raises: SourceFailure when the system does not answer at all, Exhausted.
        """
        endpoint = self._sized(size)
        series = Series(endpoint, received=start, pages=start)
        walk = Walk()
        reader = Reader(self.mapped, self.fields, None)
        while not (series.finished or walk.fault) and len(walk.lengths) < pages:
            if len(walk.records) >= ROWS or walk.is_endless:
                break
            body = await self._sent(endpoint, question, series, reader)
            self._take(walk, series, reader, body)
        walk.finished = series.finished and not walk.fault
        return walk

    async def envelope(self, question: Question) -> Mapping[str, str | int]:
        """
        Return the texts and whole numbers that lie beside the rows of an answer, by name.

        Raises: SourceFailure, Exhausted.
        """
        series = Series(self.endpoint)
        reader = Reader(self.mapped, self.fields, None)
        with self.source.failures():
            document = strict_json(await self._sent(self.endpoint, question, series, reader))
        beside = document.items() if isinstance(document, dict) else ()
        return {name: value for name, value in beside if isinstance(value, str | int)}

    async def _sent(
        self, endpoint: Endpoint, question: Question, series: Series, reader: Reader
    ) -> bytes:
        self.allowance.take()
        until = self._until()
        parameters = (*question.parameters, *series.parameters())
        with self.source.failures():
            requests = await self.source.requests(self.mapped, endpoint, until)
            seconds = max(0.0, until - asyncio.get_running_loop().time())
            return await self.source.client.send(
                requests.request(reader.selected, parameters, seconds)
            )

    def _take(self, walk: Walk, series: Series, reader: Reader, body: bytes) -> None:
        try:
            page = read_page(series.endpoint, body)
            walk.lengths.append(len(page.rows))
            walk.total = page.total if walk.total is None else walk.total
            walk.answered.extend(page.answered)
            records = list(_read(reader, page))
            walk.records.extend(records)
            series.take(page, records)
        except Mistrusted as error:
            walk.fault = str(error)

    def _sized(self, size: int | None) -> Endpoint:
        paging = self.endpoint.paging
        if size is None or paging is None:
            return self.endpoint
        return replace(self.endpoint, paging=replace(paging, size=size))

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self.source.department.budget.seconds


def _read(reader: Reader, page: Page) -> Iterator[Record]:
    for row in page.rows:
        yield reader.record(row)
