"""
The three questions, what they are asked about, and by whom.

Q1 is a point, Q2 a nested list, Q3 a report. Every clerk asks about the own township alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

import orjson

Texts: TypeAlias = Mapping[str, str]
"""The text of each question, by its operation name."""

Q1: Final = """\
query Q1($id: String!) {
  resident(idNumber: $id) {
    idNumber name sex birthDate
    household { number address }
    cases(first: 20) { nodes { number status matter { code name } } }
  }
}"""

TOWNSHIP: Final[Texts] = {
    "Q1": Q1,
    "Q2": """\
query Q2($township: DivisionCode!) {
  residents(
    where: { residenceDivision: { within: $township } }
    first: 50
  ) {
    nodes {
      idNumber name sex birthDate
      household { address members { name } }
      cases(first: 5) { nodes { status matter { name } } }
    }
  }
}""",
    "Q3": """\
query Q3($township: DivisionCode!) {
  aggregate {
    cases(
      where: { acceptingDivision: { within: $township } }
      groupBy: [{ field: MATTER_CODE }, { field: STATUS }]
    ) {
      groups { keys { value } count }
    }
  }
  matters(first: 100) { nodes { code name } }
}""",
}

PEERS: Final[Texts] = {
    "Q1": Q1,
    "Q2": """\
query Q2($township: String!) {
  residents(township: $township, first: 50) {
    nodes {
      idNumber name sex birthDate
      household { address members { name } }
      cases(first: 5) { nodes { status matter { name } } }
    }
  }
}""",
    "Q3": """\
query Q3($township: String!) {
  aggregate { cases(township: $township) { groups { keys { value } count } } }
  matters(first: 100) { nodes { code name } }
}""",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of one clerk, of whom a township has several."""

    question: str
    township: str
    about: str
    clerk: int = 1

    def request(self, texts: Texts, token: str) -> bytes:
        """Return the HTTP request, whole."""
        body = orjson.dumps(
            {
                "query": texts[self.question],
                "operationName": self.question,
                "variables": {"id": self.about, "township": self.township},
            }
        )
        head = (
            "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def about(residents: Sequence[tuple[str, str]], townships: Sequence[str]) -> list[Asked]:
    """Return every question about these residents, by their townships' clerks, and townships."""
    return [*_points(residents), *_townships(townships)]


def samples(asked: Sequence[Asked], count: int, seed: int) -> list[Asked]:
    """Return so many of each question, by chance."""
    chance = Random(seed)
    names = dict.fromkeys(each.question for each in asked)
    of_each = ([each for each in asked if each.question == name] for name in names)
    return [each for of in of_each for each in chance.sample(of, min(count, len(of)))]


def _points(residents: Sequence[tuple[str, str]]) -> Iterator[Asked]:
    return (Asked("Q1", township, number) for number, township in residents)


def _townships(townships: Sequence[str]) -> Iterator[Asked]:
    return (Asked(name, code, code) for name in ("Q2", "Q3") for code in townships)
