"""
What systems that speak JSON over HTTP have in common. Knows no principal.

A read becomes questions (`http_question`), a question a series of pages (`http_paging`), a page
records (`http_answer`). Questions run at the same time, as many as the budget allows; their rows
come in the order of the questions. Either every question is answered whole or the read fails.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Protocol

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from contract.predicate import Test, evaluator, fields_of
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities
from sources.declaration import Budget, Department, Endpoint, MappedEntity
from sources.drops import Drops
from sources.http_answer import Mistrusted, Page, Reader, Record, read_page
from sources.http_paging import Series
from sources.http_question import Plan, Question, Unclaimed, capabilities_of, plan
from sources.parameter import Parameter, Selection
from sources.signature import Signer
from transport.http import (
    BadStatus,
    HttpClient,
    HttpRequest,
    TooSlow,
    TransportFailure,
    Unreachable,
)

_LATER: Final = frozenset({408, 425, 429})  # statuses below 500 that say: try again


class Requests(Protocol):
    """How one entity of one system is asked for."""

    def writable(self, parameter: str, native: object) -> bool:
        """Return whether the parameter can hold the native value."""

    def request(
        self, selection: Selection, parameters: Iterable[Parameter], seconds: float
    ) -> HttpRequest:
        """Return the signed request for the natives selected of the rows that are meant."""


class HttpSource(ABC):
    """One department's system; `drops` counts rows sent for keys nobody asked for."""

    def __init__(self, department: Department, signer: Signer | None = None) -> None:
        self.department = department
        self.signer = signer or Signer(department.signature)
        self.client = HttpClient(department.budget.concurrency)
        self._budget = department.budget
        self._entities = MappingProxyType(
            {
                name: capabilities_of(mapped, mapped.endpoint, department.budget)
                for name, mapped in department.entities.items()
                if mapped.endpoint is not None
            }
        )
        self.drops = Drops(department.name)

    @property
    def name(self) -> str:
        """Return the name used in errors, completeness and mapping files."""
        return self.department.name

    @property
    def title(self) -> str:
        """Return what a clerk calls the system."""
        return self.department.title

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        """Return what it holds and what it can do with each."""
        return self._entities

    @abstractmethod
    async def requests(self, mapped: MappedEntity, endpoint: Endpoint, until: float) -> Requests:
        """
        Return how the entity is asked for; `until`: a time of the event loop.

        Raises: TransportFailure, Mistrusted.
        """

    async def read(self, read: Read) -> Rows:
        """
        Return the rows asked for.

        Reads:  one request per page and batch of keys, within the budget for all of them.
        Raises: SourceFailure, and nothing else, when the system does not answer as agreed.
        """
        with self.failures():
            async with asyncio.timeout(self._budget.seconds):
                return await self.rows(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """
        Refuse: no function is claimed.

        Raises: SourceRefused.
        """
        raise SourceRefused(self.name, self.title, f"an aggregate of {aggregate.entity}")

    async def aclose(self) -> None:
        """Wait for the requests that run, then close the connections."""
        await self.client.aclose()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn what can go wrong into SourceFailure."""
        try:
            yield
        except TimeoutError:
            raise SourceTimeout(self.name, self.title, "budget") from None
        except (Mistrusted, Unclaimed) as error:
            raise SourceRefused(self.name, self.title, f"{type(error).__name__}: {error}") from None
        except TransportFailure as failure:
            detail = f"{type(failure).__name__}: {failure}"
            raise _failed(failure)(self.name, self.title, detail) from None

    async def rows(self, read: Read) -> Rows:
        """
        Return the rows asked for, without a limit of time.

        Raises: what `failures` turns into SourceFailure.
        """
        until = asyncio.get_running_loop().time() + self._budget.seconds
        mapped = self.department.entities.get(read.entity)
        if mapped is None or mapped.endpoint is None or not {*read.fields} <= {*mapped.columns}:
            raise Unclaimed("an entity or field")
        requests = await self.requests(mapped, mapped.endpoint, until)
        planned = plan(mapped, mapped.endpoint, read, requests.writable)
        extra = fields_of(planned.checks) | ({planned.by} if planned.by else set())
        names = tuple(dict.fromkeys((*read.fields, *sorted(extra))))
        reader = Reader(mapped, names, planned.by, fields_of(read.where))
        test = evaluator(planned.checks, names)
        talk = _Conversation(
            self.client, mapped.endpoint, requests, reader, self._budget, until, test, read.limit
        )
        answers = await _together(talk.answer(asked) for asked in planned.questions)
        kept = [
            self._own(names, planned, *pair)
            for pair in zip(planned.questions, answers, strict=True)
        ]
        self.drops.note(read.entity, sum(map(len, answers)) - sum(map(len, kept)))
        width = len(read.fields)
        rows = [record.values[:width] for record in _distinct(kept) if test(record.values)]
        return Rows(read.fields, rows[: read.limit])

    def _own(
        self, names: tuple[str, ...], planned: Plan, question: Question, records: list[Record]
    ) -> list[Record]:
        """Return the records of the keys that the question asked for."""
        if planned.by is None or question.keys is None:
            return records
        place, keys = names.index(planned.by), question.keys
        return [record for record in records if record.values[place] in keys]


@dataclass(slots=True)
class _Conversation:
    """Asks the questions of one read and counts what it costs."""

    client: HttpClient
    endpoint: Endpoint
    requests: Requests
    reader: Reader
    budget: Budget
    until: float
    test: Test
    limit: int | None
    rows: int = 0

    async def answer(self, question: Question) -> list[Record]:
        """Return every record of every page; where there is a limit, until it is reached."""
        series = Series(self.endpoint)
        answer: list[Record] = []
        while not (series.finished or self._has_enough(answer)):
            page = read_page(self.endpoint, await self._sent(question, series))
            self._spend(page, series)
            records = [self.reader.record(row) for row in page.rows]
            series.take(page, records)
            answer.extend(records)
        if series.finished:
            self._check_answered(question, series)
        return answer

    def _has_enough(self, records: list[Record]) -> bool:
        if self.limit is None or len(records) < self.limit:
            return False
        kept = {record.identity for record in records if self.test(record.values)}
        return len(kept) >= self.limit

    async def _sent(self, question: Question, series: Series) -> bytes:
        left = self.until - asyncio.get_running_loop().time()
        parameters = (*question.parameters, *series.parameters())
        request = self.requests.request(self.reader.selected, parameters, max(0.0, left))
        return await self.client.send(request)

    def _spend(self, page: Page, series: Series) -> None:
        # An empty page in the middle costs a row, so that such pages come to an end too.
        self.rows += len(page.rows) or min(1, series.pages)
        expected = 0 if self.limit is not None else page.total or 0
        if max(self.rows, expected) > self.budget.rows:
            raise Mistrusted(f"more than {self.budget.rows} rows")

    def _check_answered(self, question: Question, series: Series) -> None:
        if question.keys is None or not self.endpoint.answered:
            return
        if not question.keys <= self.reader.keys(series.answered):
            raise Mistrusted(f"{self.endpoint.answered} lacks a key")


def _distinct(answers: Iterable[Iterable[Record]]) -> Iterable[Record]:
    """Return the records in order, each once."""
    known: dict[tuple[object, ...], Record] = {}
    for record in chain.from_iterable(answers):
        if known.setdefault(record.identity, record).natives != record.natives:
            raise Mistrusted("two different rows with one key")
    return known.values()


async def _together(asked: Iterable[Coroutine[Any, Any, list[Record]]]) -> list[list[Record]]:
    """Return the answers in order; the first failure ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in asked]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _failed(failure: TransportFailure) -> type[SourceFailure]:
    match failure:
        case TooSlow():
            return SourceTimeout
        case Unreachable():
            return SourceUnavailable
        case BadStatus(status=status) if status in _LATER or status >= 500:
            return SourceUnavailable
        case _:
            return SourceRefused
