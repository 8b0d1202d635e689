from pathlib import Path

import pytest
from graphql import build_schema

from contract.errors import SourceRefused
from contract.read import Read
from sources.assembly import assemble
from tests.loopback import serving
from tests.sources.graphql_service import FILE, SDL, Service, asking, department


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.strip().splitlines(), 1) if part in line)


MISTAKES = {
    'native = "person.certNo"': (
        'native = "person.certNumber"',
        'the type Person of the service has no field "certNumber". Write certNo.',
    ),
    'fields.balance = { native = "balance"': (
        'fields.balance = { native = "person"',
        '"person" of the service is Person!, no value. Write one of person.certNo, person.names.',
    ),
    'fields.number = { native = "number"': (
        'fields.number = { native = "person.names"',
        '"person.names" of the service is [String!]!, no value. Write the path of another field.',
    ),
    'native = "balance"': (
        'native = "note"',
        'the field "note" of the service needs the argument language. '
        "Write a field without arguments that must be given.",
    ),
    'native = "enrolments"': (
        'native = "enrolment"',
        'the type Query of the service has no field "enrolment". Write enrolments.',
    ),
    'RESIDENT = "HOME"': (
        'RESIDENTS = "HOME"',
        'the enum Kind of the service has no value "RESIDENTS". Write RESIDENT.',
    ),
    'parameter = "certNos"': (
        'parameter = "certNo"',
        'enrolments of the service takes no argument "certNo". Write certNos.',
    ),
    '"kind.in" = "filter.kind.in"': (
        '"kind.in" = "filter.kind.eq"',
        'the argument "filter.kind.eq" of the service takes one value (Kind), not many. '
        "Write an argument that takes a list.",
    ),
    '"balance.gte" = "filter.least"': (
        '"balance.gte" = "filter.unpaid"',
        'the argument "filter.unpaid" of the service is Boolean, but the values are decimal. '
        "Write another argument, or the storage that the service has.",
    ),
    "fixed = { year = 2026 }": (
        "fixed = { years = 2026 }",
        'enrolments of the service takes no argument "years". Write year.',
    ),
    'size_parameter = "limit"': (
        'size_parameter = "limits"',
        'enrolments of the service takes no argument "limits". Write limit.',
    ),
    'rows = "nodes"': (
        'rows = "pageInfo"',
        'the service gives no list at "pageInfo". Write the path of a list below the root field.',
    ),
    'total = "totalCount"': (
        'total = "total"',
        'the type Enrolments of the service has no field "total". Write totalCount.',
    ),
    'answered = "certNos"': (
        'answered = "totalCount"',
        '"totalCount" of the service is Int!, no list of values. Write the path of another field.',
    ),
}


@pytest.mark.parametrize("right", MISTAKES)
async def test_what_the_service_does_not_have_is_told_with_its_line_and_refused(
    tmp_path: Path, right: str
) -> None:
    wrong, told = MISTAKES[right]
    text, service = FILE.replace(right, wrong), Service()

    async with asking(tmp_path, service, text) as source:
        (mistake,) = await source.mistakes()
        with pytest.raises(SourceRefused) as caught:
            await source.read(Read("Enrolment", ("number",)))

    where = f"{tmp_path / 'enrolments.toml'}:{line_of(text, wrong)}"
    assert str(mistake) == f"{where}: {told}"
    assert caught.value.detail == f"Mistrusted: {mistake}"
    assert service.operations == []


async def test_an_argument_that_must_be_given_is_missed(tmp_path: Path) -> None:
    service = Service(schema=build_schema(SDL.replace("year: Int,", "year: Int, city: ID!,")))

    async with asking(tmp_path, service) as source:
        mistakes = await source.mistakes()

    assert [(mistake.line, mistake.what, mistake.write) for mistake in mistakes] == [
        (
            line_of(FILE, "[entity.Enrolment.graphql]"),
            'the argument "city" of the service must always be given',
            "Write city = … in fixed under [entity.….graphql].",
        )
    ]


async def test_an_argument_that_cannot_say_every_value_is_a_mistake(tmp_path: Path) -> None:
    sdl = SDL.replace("balance: Amount, months: Int", "balance: Amount, months: Amount")

    async with asking(tmp_path, Service(schema=build_schema(sdl))) as source:
        (mistake,) = await source.mistakes()

    assert mistake.what == "the service gives months as Amount, but asks by Int"


async def test_mistakes_of_live_services_are_told_at_start(tmp_path: Path) -> None:
    service = Service(schema=build_schema(SDL.replace("totalCount", "count")))
    async with serving(service) as loopback:
        assembly = assemble({}, (department(tmp_path, loopback.url),), ())
        mistakes = await assembly.mistakes()
        await assembly.aclose()

    assert [mistake.line for mistake in mistakes] == [line_of(FILE, "total =")]
