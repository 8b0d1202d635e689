"""What is remembered of a principal: all that decides it, never anything of a request."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import graph as module
from gateway.graph import OpenGraph, open_graph
from tests.gateway.town import PRINCIPALS, SECRET, files_of

CLERK = PRINCIPALS["clerk"]
OTHERS = [
    replace(CLERK, account="somebody"),
    replace(CLERK, scopes=("320411004",)),
    replace(CLERK, roles=("grid_worker",)),
    replace(CLERK, roles=CLERK.roles * 2, scopes=(*CLERK.scopes, "320411004")),
    replace(CLERK, department="民政"),
    replace(CLERK, purpose="duty"),
    replace(CLERK, case="1"),
    replace(CLERK, citizen="11010519491231002X"),
]


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[OpenGraph]:
    files, environment = files_of(tmp_path)
    async with aclosing(open_graph(files, environment, SECRET)) as opened:
        yield opened


async def test_principals_that_differ_in_anything_have_contexts_of_their_own(
    graph: OpenGraph,
) -> None:
    known = [CLERK, *OTHERS]

    for _ in range(2):
        contexts = [graph.context(each, "r") for each in known]

        assert [context.principal for context in contexts] == known
        assert [len(context.role_titles) for context in contexts] == [
            len(each.roles) for each in known
        ]


async def test_two_requests_of_a_principal_share_no_list(graph: OpenGraph) -> None:
    first, second = graph.context(CLERK, "one"), graph.context(replace(CLERK), "two")

    assert [first.request_id, second.request_id] == ["one", "two"]
    assert first.principal is second.principal
    assert first.spending is not second.spending
    for name in ("calls", "readings", "partial", "pools", "consulted"):
        assert getattr(first, name) is not getattr(second, name)


async def test_so_many_principals_are_remembered_and_no_more(
    graph: OpenGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_CALLERS", 3)

    for each in OTHERS * 2:
        graph.context(each, "r")
        assert len(graph._callers) <= 3


async def test_a_graph_made_of_another_remembers_nobody(graph: OpenGraph) -> None:
    graph.context(CLERK, "r")

    assert [len(graph._callers), len(replace(graph)._callers)] == [1, 0]
