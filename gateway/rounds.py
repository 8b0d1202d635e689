"""Looks now and then whether the departments' systems still are as their mapping files say."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from random import Random
from typing import Final

from gateway.graph import OpenGraph
from sources.declaration import Department
from sources.drift import Drift, drift, keys_among
from sources.guard import now

logger = logging.getLogger(__name__)

_FIRST_SECONDS: Final = 300.0
_LONGEST_SLEEP: Final = 60.0

LeaseGraph = Callable[[], AbstractContextManager[OpenGraph]]


class Rounds:
    """Checks each system once in a while, one after the other and at times of their own."""

    def __init__(self, lease: LeaseGraph, seconds: float, chance: Random | None = None) -> None:
        self._lease = lease
        self._seconds = seconds
        self._chance = chance or Random()  # noqa: S311 -- to spread questions
        self._due: dict[str, float] = {}

    async def run(self) -> None:
        """Check systems when they are due, without end."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lease() as graph:
                departments = {each.name: each for each in graph.assembly.departments}
            name = self._next(departments, loop.time())
            wait = self._due[name] - loop.time() if name else _LONGEST_SLEEP
            if wait > 0:
                await asyncio.sleep(min(wait, _LONGEST_SLEEP))
                continue
            self._due[name] = loop.time() + self._seconds * self._chance.uniform(0.9, 1.1)
            try:
                await self.check(name)
            except Exception:
                logger.exception("%s: its structure could not be looked at", name)

    async def check(self, name: str) -> None:
        """Look at one system now and remember what was seen."""
        with self._lease() as graph:
            department = next((d for d in graph.assembly.departments if d.name == name), None)
            if department is not None:
                await self._checked(graph, department)

    def _next(self, departments: dict[str, Department], at: float) -> str:
        first = min(self._seconds, _FIRST_SECONDS)
        self._due = {
            name: self._due.get(name, at + self._chance.uniform(0, first)) for name in departments
        }
        return min(self._due, key=lambda name: self._due[name], default="")

    async def _checked(self, graph: OpenGraph, department: Department) -> None:
        guarded = graph.assembly.systems
        own = guarded[department.name]
        if own.guard.maintenance is not None:
            return
        keys = partial(keys_among, guarded.values())
        found = await drift(department, own, keys, now())
        before = graph.observed.drifts.get(own.guard, Drift())
        graph.observed.drifts[own.guard] = found
        if (before.state, before.changes) != (found.state, found.changes):
            _log(department, found)


def _log(department: Department, found: Drift) -> None:
    if not found.changes:
        logger.info("%s: its structure is %s", department.name, found.state)
    for change in found.changes:
        place = (department.name, change.entity, change.native, change.finding)
        logger.warning("%s: %s: %s is %s since it was mapped", *place)
