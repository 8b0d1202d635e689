"""One small page of a system over HTTP, as it was sent: to see what its rows are made of."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contract.read import ForEach, Read
from sources.declaration import Endpoint, MappedEntity
from sources.http_answer import Json, read_page
from sources.http_paging import Series
from sources.http_question import plan
from sources.http_source import HttpSource

_ROWS: Final = 20


async def first_page(
    source: HttpSource, mapped: MappedEntity, for_each: ForEach | None
) -> Sequence[Json]:
    """
    Return the rows of the first page, for the keys where they are given.

    Reads:  one request.
    Raises: SourceFailure, and nothing else, when the system does not answer as agreed.
    """
    if mapped.endpoint is None:
        return ()
    with source.failures():
        async with asyncio.timeout(source.department.budget.seconds):
            return await _page(source, mapped, _small(mapped.endpoint), for_each)


async def _page(
    source: HttpSource, mapped: MappedEntity, endpoint: Endpoint, for_each: ForEach | None
) -> Sequence[Json]:
    seconds = source.department.budget.seconds
    until = asyncio.get_running_loop().time() + seconds
    requests = await source.requests(mapped, endpoint, until)
    read = Read(mapped.entity.name, mapped.entity.key, for_each=for_each)
    questions = plan(mapped, endpoint, read, requests.writable).questions
    if not questions:
        return ()
    parameters = (*questions[0].parameters, *Series(endpoint).parameters())
    natives = tuple(column.native for column in mapped.columns.values())
    request = requests.request(natives, parameters, seconds)
    return read_page(endpoint, await source.client.send(request)).rows


def _small(endpoint: Endpoint) -> Endpoint:
    paging = endpoint.paging
    if paging is None or not paging.size_parameter:
        return endpoint
    return replace(endpoint, paging=replace(paging, size=min(paging.size, _ROWS)))
