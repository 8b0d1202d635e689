"""What a document costs that was never asked before, beside what it costs anybody to read it."""

import time
from collections.abc import Awaitable, Callable
from statistics import median

import pytest
from graphql import parse, validate

from schema.documents import Documents
from schema.limits import Limits
from tests.graph import Graph, build_graph

pytestmark = pytest.mark.timed

MOST = 3.0
NEW = 60
PAGE = """
query Page%(number)d($sex: Sex) {
  residents(where: { sex: { eq: $sex } }, first: 20) {
    nodes {
      idNumber name%(number)d: name sex birthDate
      household { address members { name } }
      cases(first: 5) { totalCount nodes { status matter { name } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture
def graph() -> Graph:
    return build_graph()


async def taken(work: Callable[[], Awaitable[object]]) -> float:
    began = time.process_time()
    await work()
    return time.process_time() - began


async def test_the_first_answer_to_a_document_costs_little_more_than_reading_it(
    graph: Graph,
) -> None:
    documents = Documents(Limits())
    plain = graph.schema._schema
    variables = {"sex": "MALE"}

    async def asked(text: str) -> None:
        operation = documents.read(text).operation(None)
        assert operation is not None
        operation.weight(variables)
        await graph.data("clerk", text, **variables)

    async def read(text: str) -> None:
        assert not validate(plain, parse(text))

    ratios = []
    for number in range(NEW):
        text = PAGE % {"number": number}
        reading = await taken(lambda text=text: read(text))  # type: ignore[misc] # bound at once
        first = await taken(lambda text=text: asked(text))  # type: ignore[misc] # bound at once
        again = await taken(lambda text=text: asked(text))  # type: ignore[misc] # bound at once
        ratios.append((first - again) / reading)

    assert median(ratios) <= MOST, ratios
