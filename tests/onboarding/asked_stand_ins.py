"""Systems that are asked over HTTP, each with one fault; a line of `StandIn` says which."""

from collections.abc import Sequence

from tests.onboarding.graphql_stand_in import Graphql
from tests.onboarding.permits import REST, Native, moved, natives
from tests.onboarding.rest_stand_in import FILTERS, Keeps, Rest
from tests.onboarding.stand_in import SOME, StandIn, changed, stored


def filtering(**filters: Keeps) -> Rest:
    return Rest(filters={**FILTERS, **filters})


def ignoring(parameter: str) -> Rest:
    return Rest(filters={name: keeps for name, keeps in FILTERS.items() if name != parameter})


def without_total(text: str = REST) -> str:
    return text.replace('total = "data.total"\n', "")


def _held(rows: Sequence[Native]) -> set[str]:
    return {row["certno"] for row in rows}


ASKED: tuple[StandIn, ...] = (
    StandIn("a filter is ignored", ignoring("kind"), ("kind.eq",), write='Leave "kind.eq" out.'),
    StandIn(
        "a filter does not mind capitals",
        filtering(shop=lambda row, asked: row["shop"].lower() == asked.lower()),
        ("name.eq other letters",),
        write='Leave "name.eq" out.',
    ),
    StandIn(
        "a filter drops trailing blanks",
        filtering(shop=lambda row, asked: row["shop"] == asked.rstrip()),
        ("name.eq blank behind",),
        write='Leave "name.eq" out.',
    ),
    StandIn(
        "contains is startsWith",
        filtering(part=lambda row, asked: row["shop"].startswith(asked)),
        ("name.contains",),
        write='Leave "name.contains" out.',
    ),
    StandIn(
        "gte is gt",
        filtering(least=lambda row, asked: (row["months"] or 0) > int(asked)),
        ("months.gte",),
        write='Leave "months.gte" out.',
    ),
    StandIn(
        "lt is lte",
        filtering(before=lambda row, asked: row["began"] is not None and row["began"] <= asked),
        ("startedOn.lt",),
        write='Leave "startedOn.lt" out.',
    ),
    StandIn(
        "a range keeps nulls",
        filtering(before=lambda row, asked: row["began"] is None or row["began"] < asked),
        ("startedOn.lt",),
        write='Leave "startedOn.lt" out.',
    ),
    StandIn(
        "within is equality",
        filtering(under=lambda row, asked: row["area"] == asked),
        ("area.within",),
        write='Leave "area.within" out.',
    ),
    StandIn(
        "isNull is ignored", ignoring("unnoted"), ("note.isNull",), write='Leave "note.isNull"'
    ),
    StandIn(
        "of the operands of IN the first alone counts",
        filtering(kinds=lambda row, asked: row["kind"] == asked.split(",")[0]),
        ("kind.in", "kind.in many"),
        write='Leave "kind.in" out.',
    ),
    StandIn(
        "of many operands of IN the first five count",
        filtering(months=lambda row, asked: str(row["months"]) in asked.split(",")[:5]),
        ("months.in many",),
        write='Leave "months.in" out.',
    ),
    StandIn(
        "a filter reads times in another zone",
        filtering(since=lambda row, asked: moved(row, -8)["changed"] >= asked),
        ("changedAt.gte",),
        write='Leave "changedAt.gte" out.',
    ),
    StandIn(
        "the size of a page is ignored",
        Rest(page=lambda rows, page, _: rows[(page - 1) * 20 : page * 20]),
        ("page size",),
        write="the size that the system obeys",
    ),
    StandIn(
        "a page has a row less than asked for",
        Rest(without_total(), page=lambda rows, page, size: rows[(page - 1) * size :][: size - 1]),
        ("page size",),
        write="Write size = 19 in paging.",
    ),
    StandIn(
        "pages are cut to ten rows",
        Rest(without_total(), most=10),
        ("page size",),
        write="Write size = 10 in paging.",
    ),
    StandIn(
        "every page is the first",
        Rest(page=lambda rows, _, size: rows[:size]),
        ("paging",),
        write="style, parameter, first",
    ),
    StandIn(
        "a row is lost between pages",
        Rest(page=lambda rows, page, size: rows[(page - 1) * (size + 1) :][:size]),
        ("paging",),
        write="style, parameter, first",
    ),
    StandIn(
        "the order of a list is another one each time",
        Rest(shuffles=True),
        ("page order",),
        write="a list in a fixed order",
    ),
    StandIn(
        "the total is too high", Rest(total=lambda rows: rows + 3), ("total",), write="Leave total"
    ),
    StandIn(
        "the total is that of one page",
        Rest(total=lambda rows: min(rows, 20)),
        ("total",),
        write="Leave total",
    ),
    StandIn(
        "a batch of keys is cut",
        Rest(taken=lambda keys: keys[:16]),
        ("batch of idNumber", "idNumber.in many"),
        write="Write batch = 15.",
    ),
    StandIn(
        "a batch of more than twelve keys is refused",
        Rest(fails=lambda keys: len(keys) > 12),
        ("batch of idNumber", "idNumber.in many"),
        write="Write batch = 7.",
    ),
    StandIn(
        "of the keys the first alone counts",
        Rest(taken=lambda keys: keys[:1]),
        ("batch of idNumber", "for each idNumber", "idNumber.in", "idNumber.in many"),
        write="Write batch = 1.",
    ),
    StandIn(
        "keys are ignored",
        Rest(taken=lambda _: None),
        ("key idNumber",),
        write="the parameter that the system knows",
    ),
    StandIn(
        "two rows have one key",
        Rest(rows=changed(SOME, stored(no="P000"))),
        ("key is unique",),
        write="Write a key that tells rows apart",
    ),
    StandIn(
        "keys without rows are not listed as answered",
        Graphql(listed=lambda asked, rows: [key for key in asked if key in _held(rows)]),
        ("answered",),
        write="Leave answered out.",
    ),
    StandIn(
        "a cursor never ends", Graphql(ends=False), ("paging",), write="style, parameter, first"
    ),
    StandIn(
        "of the operands of a GraphQL list the first alone counts",
        Graphql(operands=1),
        ("kind.in", "kind.in many"),
        write='Leave "kind.in" out.',
    ),
    StandIn(
        "a failure comes with status 200",
        Rest(REST.replace("success = { code = 0 }\n", ""), refuses=frozenset({"kinds"})),
        ("kind.in", "kind.in many", "success"),
        write="Write success = { code = 0 }.",
    ),
    StandIn(
        "rows lie elsewhere in the answer",
        Rest(REST.replace('rows = "data.rows"', 'rows = "data.list"')),
        ("shape",),
        write="Write the paths and names",
        state="SOURCE_REFUSED",
    ),
    StandIn(
        "success is another code",
        Rest(REST.replace("success = { code = 0 }", "success = { code = 1 }")),
        ("success",),
        write="what an answer says that succeeded",
        state="SOURCE_REFUSED",
    ),
    StandIn(
        "a field is missing",
        Rest(rows=[{k: v for k, v in row.items() if k != "shop"} for row in natives()]),
        ("name is there",),
        {"invalidValues": {"name": 60}},
        write="Write native =",
    ),
)
