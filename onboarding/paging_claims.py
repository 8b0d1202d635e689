"""
Pages of a system over HTTP, proved by asking for them again, in other sizes, and behind the end.

What is found is told by the option of the mapping file that says otherwise. Knows no principal.
"""

from dataclasses import dataclass
from typing import Final

from contract.document import Place
from onboarding.http_probe import PAGES, ROWS, Probe, Walk
from onboarding.trial import Claim, Verdict
from sources.http_question import Question

_SMALL: Final = 5
"""About so many pages are asked for in the second size."""
_NAMES: Final = (
    ("the number of rows is not the total", "total"),
    ("a page came again", "paging"),
    ("a cursor came again", "paging"),
    ("more rows than fit on a page", "page size"),
    ("does not say success", "success"),
    ("is no count", "total"),
    ("is no cursor", "paging"),
)
_WRITE: Final = {
    "total": "Leave total out, or write the path of the number of all rows that match.",
    "paging": "Write how the next page is asked for: style, parameter, first, next and more.",
    "page size": "Write the parameter and the size that the system obeys.",
    "page order": "Ask the department for a list in a fixed order, by its key; it cannot be paged.",
    "success": "Write what an answer says that succeeded.",
    "shape": "Write the paths and names that the answer has.",
}
_OPTION: Final = {"page size": "paging", "page order": "paging", "shape": "rows"}


@dataclass(frozen=True, slots=True)
class Paging:
    """Proves how one question's pages follow each other; `first`: its pages as they came."""

    probe: Probe
    question: Question
    first: Walk

    async def claims(self) -> tuple[Claim, ...]:
        """
        Return what became of order, size, total and succession of the pages; the worst alone.

        Reads:  at most 45 pages.
        Raises: SourceFailure, Exhausted.
        """
        if self.first.is_endless:
            return (self._wrong("paging", "the cursor does not end: pages without rows follow"),)
        if self.probe.endpoint.paging is None:
            return self._faulty()
        if len(self.first.records) > 1 and not await self._is_repeatable():
            return (self._wrong("page order", "the same page has other rows when asked again"),)
        if self.first.fault:
            return await self._told()
        return await self._succession()

    async def _succession(self) -> tuple[Claim, ...]:
        behind = await self._behind()
        if behind:
            return (behind,)
        smaller = await self._smaller()
        return (smaller,) if smaller else ()

    def _faulty(self) -> tuple[Claim, ...]:
        return (self._named(self.first.fault),) if self.first.fault else ()

    async def _is_repeatable(self) -> bool:
        length = self.first.lengths[0]
        again = await self.probe.walk(self.question, pages=1)
        before = [record.identity for record in self.first.records[:length]]
        if before == [record.identity for record in again.records]:
            return True
        # A row may have come in between; a list that is in order is then the same once more.
        once_more = await self.probe.walk(self.question, pages=1)
        return [record.identity for record in again.records] == [
            record.identity for record in once_more.records
        ]

    async def _told(self) -> tuple[Claim, ...]:
        """Tell a wrong total from pages that lose rows: all on one page are as many as it says."""
        total = self.first.total
        named = self._named(self.first.fault)
        if named.name != "total" or total is None or not 0 < total <= ROWS:
            return (named,)
        whole = await self.probe.walk(self.question, size=total + 1, pages=1)
        if len(whole.records) == total > len(whole.identities):
            return ()  # it is the keys that are wrong
        if len(whole.identities) == total:
            lost = total - len(self.first.identities)
            why = f"{lost} rows are lost between pages" if lost > 0 else "pages repeat rows"
            return (self._wrong("paging", why),)
        return (named,)

    async def _behind(self) -> Claim | None:
        """Ask for a page more than there should be; only what is so twice is so."""
        if await self._beyond() is None:
            return None
        again = Paging(self.probe, self.question, await self.probe.walk(self.question))
        return await again._beyond()

    async def _beyond(self) -> Claim | None:
        paging = self.probe.endpoint.paging
        if paging is None or paging.style == "cursor" or not self.first.finished:
            return None
        if not self.first.records:
            return None
        by_page = paging.style == "page"
        start = len(self.first.lengths) if by_page else len(self.first.identities)
        more = await self.probe.walk(self.question, pages=1, start=start)
        fresh = len(more.identities - self.first.identities)
        if not fresh:
            return None
        if self.first.total is not None and self.first.total <= len(self.first.identities):
            why = f"at least {fresh} more rows come than the total says"
            return self._wrong("total", why)
        length = self.first.lengths[-1]
        why = f"a page of {paging.size} has {length} rows although more follow"
        return self._wrong("page size", why, f"Write size = {length} in paging.")

    async def _smaller(self) -> Claim | None:
        """Ask for the same rows on smaller pages, whose ends lie elsewhere."""
        paging = self.probe.endpoint.paging
        known = len(self.first.identities)
        if paging is None or not paging.size_parameter or known < 2:
            return None
        size = max(1, min(paging.size, known) // _SMALL)
        small = await self.probe.walk(self.question, size=size)
        found = self._compared(small, size)
        if found is None:
            return None
        # Rows may have come in between: only what is so twice is so.
        first = await self.probe.walk(self.question)
        again = Paging(self.probe, self.question, first)
        return again._compared(await self.probe.walk(self.question, size=size), size)

    def _compared(self, small: Walk, size: int) -> Claim | None:
        if small.fault == "more rows than fit on a page":
            why = f"a page of {size} has {small.lengths[-1]} rows: the size is not obeyed"
            return self._wrong("page size", why)
        if small.fault and not self.first.fault:
            return self._named(small.fault)
        if small.is_endless:
            return self._wrong("paging", "the cursor does not end: pages without rows follow")
        length = small.lengths[0]
        if length < size and length < len(self.first.identities):
            return self._wrong("page size", f"a page of {size} has {length} rows")
        return self._lost(small)

    def _lost(self, small: Walk) -> Claim | None:
        before, after = self.first.identities, small.identities
        if not (self.first.finished and small.finished):
            most = min(len(self.first.records), len(small.records))
            before = Walk(self.first.records[:most]).identities
            after = Walk(small.records[:most]).identities
        lost = len(before - after)
        repeated = sum((after - before).values())
        if not lost and not repeated:
            return None
        why = f"on pages of another size {lost} rows are lost and {repeated} come twice or are new"
        return self._wrong("paging", why)

    def _named(self, fault: str) -> Claim:
        name = next((name for text, name in _NAMES if fault.endswith(text)), "shape")
        return self._wrong(name, fault)

    def _wrong(self, name: str, why: str, write: str = "") -> Claim:
        table = "graphql" if self.probe.source.department.kind == "graphql" else "rest"
        option = _OPTION.get(name, name)
        entity = self.probe.mapped.entity.name
        place: Place = ("entity", entity, table, option)
        return Claim(name, Verdict.DISPROVED, why, place, write or _WRITE[name])


async def paged(probe: Probe, question: Question) -> tuple[Walk, tuple[Claim, ...]]:
    """
    Return the pages of a question and what became of the claims about them.

    Reads:  at most 53 pages.
    Raises: SourceFailure, Exhausted.
    """
    first = await probe.walk(question, pages=PAGES)
    wrong = await Paging(probe, question, first).claims()
    well = first.records and not first.fault
    proved = Claim("paging", Verdict.PROVED if well else Verdict.UNDECIDED)
    return first, wrong or (proved,)
