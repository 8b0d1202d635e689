"""
The stand-ins of the water, electricity and gas companies: one program, three services.

Each keeps meter accounts by household number with the last month's usage, bill and discount, in
columns of the same kind with names of its own; bills are texts in yuan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from random import Random
from typing import Final

from demo import scene
from demo.identifiers import scattered
from demo.people import Household
from demo.province import Records
from demo.rest_stand_in import Question, Service
from demo.tables import Layout, Row, Table

_NAMES: Final = (
    *("acct_no", "hh_no", "meter_no", "bill_month", "usage", "fee", "discount", "acct_state"),
    "address",
)
_SUPPORTED: Final = ("MINIMUM_ALLOWANCE", "DESTITUTE")
_MONTH: Final = "202610"
_UNKNOWN_IN: Final = 300


@dataclass(frozen=True, slots=True)
class Utility:
    """A company: how its numbers begin, who is connected, what a unit costs and is used."""

    prefix: str
    share: float
    yuan: Decimal
    usage: tuple[int, int]
    free: int  # units that a household on minimum living allowance does not pay for
    of_scene: int


UTILITIES: Final[Mapping[str, Utility]] = {
    "water": Utility("S", 0.97, Decimal("3.10"), (2, 38), 6, 9),
    "electricity": Utility("D", 0.99, Decimal("0.5283"), (40, 620), 15, 86),
    "gas": Utility("Q", 0.6, Decimal("2.73"), (3, 60), 6, 11),
}


def _accounts(name: str, records: Records) -> Iterator[Row]:
    utility = UTILITIES[name]
    random = Random(f"{records.seed} {name} {records.township.code}")
    heads = {
        row.head_id_number.upper()
        for row in records.assistances
        if row.state == "ACTIVE" and row.kind.endswith(_SUPPORTED)
    }
    for household in records.households:
        if household is scene.HOUSEHOLD:
            yield _account(utility, household, utility.of_scene, "1", supported=True)
        elif random.random() < utility.share:
            supported = household.head is not None and household.head.id_number in heads
            usage = random.randint(*utility.usage) if random.random() < 0.96 else 0
            yield _account(utility, household, usage, _state(random), supported=supported)


def _account(
    utility: Utility, household: Household, usage: int, state: str, *, supported: bool
) -> Row:
    fee = usage * utility.yuan
    discount = min(usage, utility.free) * utility.yuan if supported else Decimal(0)
    number = int(household.number[1:])
    return (
        f"{utility.prefix}{household.number[1:]}",
        household.number,
        f"{utility.prefix}B{scattered(number % 999_999_937):09}",
        _MONTH,
        usage,
        f"{fee:.2f}",
        f"{discount:.2f}",
        state,
        household.address,
    )


def _state(random: Random) -> str:
    if not random.randrange(_UNKNOWN_IN):
        return "8"
    return "1" if random.random() < 0.98 else "2"


def layout(name: str) -> Layout:
    """Return the tables of one company."""
    types = ("TEXT PRIMARY KEY", *("TEXT",) * 3, "INTEGER", *("TEXT",) * 4)
    columns = tuple(f"{column} {kind}" for column, kind in zip(_NAMES, types, strict=True))
    return Layout(
        tables=(Table("accounts", columns, partial(_accounts, name)),),
        afterwards=("CREATE INDEX accounts_hh_no ON accounts (hh_no)",),
    )


SERVICE: Final = Service(
    questions={
        "/accounts": Question(
            table="accounts",
            columns=_NAMES,
            key="acct_no",
            parameters={"hh_no": ("hh_no", "in"), "acct_state": ("acct_state", "in")},
            needs=("hh_no",),
            paging=("page", "page", "size"),
            rows="data.items",
            total="data.count",
            most_rows=200,
            most_values=200,
            envelope={"ok": True},
        )
    },
    style="header",
    header="X-Partner-Token",
)
