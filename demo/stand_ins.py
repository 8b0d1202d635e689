"""The stand-in services of the demo: what each holds, and how its process is started."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from demo import housing_fund, low_income, market_regulation, medical_records, tax, utilities
from demo.rest_stand_in import Service as Description
from demo.service import Program
from demo.tables import Layout

_REST: Final = Path(__file__).with_name("rest_stand_in.py")
_LOW_INCOME: Final = Path(__file__).with_name("low_income_platform.py")
_MEDICAL_INSURANCE: Final = Path(__file__).with_name("medical_insurance.py")


@dataclass(frozen=True, slots=True)
class StandIn:
    """A service over one SQLite file; without a description it has a script of its own."""

    name: str
    layout: Layout
    description: Description | None = None
    script: Path = _REST
    proof: str = "TOKEN"

    def file(self, state: Path) -> Path:
        """Return where the data is."""
        return state.absolute() / f"{self.name}.sqlite"

    def program(self, state: Path) -> Program:
        """Return what runs as the service, its description written beside its data."""
        arguments = [str(self.file(state))]
        if self.description is not None:
            described = self.file(state).with_suffix(".json")
            described.write_text(json.dumps(asdict(self.description)), encoding="utf-8")
            arguments.append(str(described))
        return Program(self.name, self.script, tuple(arguments), self.proof)


def _all() -> Iterator[StandIn]:
    yield StandIn("medical_insurance", medical_records.LAYOUT, script=_MEDICAL_INSURANCE)
    yield StandIn("low_income_platform", low_income.LAYOUT, script=_LOW_INCOME)
    yield StandIn("housing_fund", housing_fund.LAYOUT, housing_fund.SERVICE, proof="SECRET")
    yield StandIn("market_regulation", market_regulation.LAYOUT, market_regulation.SERVICE)
    yield StandIn("tax", tax.LAYOUT, tax.SERVICE)
    for name in utilities.UTILITIES:
        yield StandIn(name, utilities.layout(name), utilities.SERVICE)


STAND_INS: Final = tuple(_all())
