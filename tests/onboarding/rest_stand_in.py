"""A REST system of permits, and what it may do otherwise than its mapping file says."""

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import Received, Reply, json_reply, serving
from tests.onboarding.permits import REST, Native, Served, natives

Asked = Mapping[str, str]
Keeps = Callable[[Native, str], bool]
Page = Callable[[Sequence[Native], int, int], Sequence[Native]]

FILTERS: Mapping[str, Keeps] = {
    "no": lambda row, asked: row["no"] == asked,
    "shop": lambda row, asked: row["shop"] == asked,
    "part": lambda row, asked: asked in row["shop"],
    "kind": lambda row, asked: row["kind"] == asked,
    "kinds": lambda row, asked: row["kind"] in asked.split(","),
    "before": lambda row, asked: row["began"] is not None and row["began"] < asked,
    "least": lambda row, asked: row["months"] is not None and row["months"] >= int(asked),
    "months": lambda row, asked: str(row["months"]) in asked.split(","),
    "since": lambda row, asked: row["changed"] >= asked,
    "under": lambda row, asked: row["area"].startswith(asked.rstrip("0")),
    "unnoted": lambda row, asked: row["note"] is None,
}


def numbered(rows: Sequence[Native], page: int, size: int) -> Sequence[Native]:
    return rows[(page - 1) * size : page * size]


@dataclass(frozen=True, slots=True)
class Rest:
    """
    The system; each part may be another one.

    `taken`: how many or which of the keys it obeys. `listed`: which keys it says it answered.
    `refuses`, `fails`: parameters and keys for which it says that it failed, with status 200.
    """

    text: str = REST
    rows: Sequence[Native] = field(default_factory=natives)
    filters: Mapping[str, Keeps] = field(default_factory=lambda: FILTERS)
    page: Page = numbered
    most: int = 1000
    total: Callable[[int], int] = int
    taken: Callable[[list[str]], list[str] | None] = list
    listed: Callable[[list[str], Sequence[Native]], list[str]] = lambda asked, _: asked
    refuses: frozenset[str] = frozenset()
    fails: Callable[[list[str]], bool] = lambda _: False
    shuffles: bool = False

    def __call__(self, received: Received) -> Reply:
        asked = received.parameters
        keys = asked["certnos"].split(",") if "certnos" in asked else []
        if self.refuses & asked.keys() or self.fails(keys):
            return json_reply({"code": 500, "data": {"rows": [], "total": 0, "certnos": []}})
        kept = self._kept(asked)
        if self.shuffles:
            kept = random.sample(kept, len(kept))
        size = min(int(asked.get("size", "20")), self.most)
        page = self.page(kept, int(asked.get("page", "1")), size)
        sent = [{**row, "fee": float(row["fee"])} for row in page]
        data: dict[str, Any] = {"rows": sent, "total": self.total(len(kept))}
        if keys:
            data["certnos"] = self.listed(keys, kept)
        return json_reply({"code": 0, "data": data})

    def _kept(self, asked: Asked) -> list[Native]:
        keys = self.taken(asked["certnos"].split(",")) if "certnos" in asked else None
        return [
            row
            for row in self.rows
            if (keys is None or row["certno"] in keys)
            and all(
                keeps(row, asked[name]) for name, keeps in self.filters.items() if name in asked
            )
        ]


@asynccontextmanager
async def running(system: Rest) -> AsyncIterator[Served]:
    async with serving(system) as loopback:
        yield Served(system.text, {"URL": loopback.url})
