"""Who lives together: the shapes of households, as relations and ages."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

_OLDEST: Final = 101
_MOVED_OUT: Final = 27


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a household to be; the head comes first."""

    relation: str
    female: bool
    age: int


Members: TypeAlias = tuple[Member, ...]


def family(random: Random) -> Members:
    """Return the members of a household, head first; each a likely one."""
    (shape,) = random.choices(_SHAPES, _WEIGHTS)
    return shape(random)


def dormitory(random: Random) -> Members:
    """Return the people of a collective household, which has no head."""
    people = random.randint(4, 9)
    return tuple(
        Member("OTHER", random.random() < 0.4, random.randint(18, 48)) for _ in range(people)
    )


def _single(random: Random) -> Members:
    return (_head(random, 19, 92),)


def _couple(random: Random) -> Members:
    head = _head(random, 24, 84)
    return head, _spouse(random, head)


def _couple_with_children(random: Random) -> Members:
    head = _head(random, 25, 58)
    spouse = _spouse(random, head)
    return head, spouse, *_children(random, min(head.age, spouse.age))


def _three_generations(random: Random) -> Members:
    head = _head(random, 28, 56)
    spouse = _spouse(random, head)
    children = _children(random, min(head.age, spouse.age))
    return head, spouse, *children, *_parents(random, head.age)


def _grandparents_with_grandchild(random: Random) -> Members:
    head = _head(random, 52, 76)
    grandchild = Member("GRANDCHILD", random.random() < 0.5, random.randint(2, head.age - 45))
    return head, _spouse(random, head), grandchild


def _one_parent(random: Random) -> Members:
    head = _head(random, 24, 55)
    return head, *_children(random, head.age)[:1]


def _elder(random: Random) -> Members:
    return (_head(random, 66, 97),)


def _elder_couple(random: Random) -> Members:
    head = _head(random, 62, 90)
    return head, _spouse(random, head)


def _siblings(random: Random) -> Members:
    head = _head(random, 20, 60)
    age = max(18, head.age + random.randint(-8, 4))
    return head, Member("SIBLING", random.random() < 0.5, age)


def _head(random: Random, youngest: int, oldest: int) -> Member:
    return Member("HEAD", random.random() < 0.32, random.randint(youngest, oldest))


def _spouse(random: Random, head: Member) -> Member:
    years = random.choice((-4, -2, -1, 0, 1, 2, 3, 5))
    age = head.age + years if head.female else head.age - years
    return Member("SPOUSE", not head.female, min(_OLDEST, max(22, age)))


def _children(random: Random, parent_age: int) -> Members:
    """Return up to three children who still live at home; the parent was at least 19."""
    children: list[Member] = []
    for _ in range(random.choices((1, 2, 3), (58, 36, 6))[0]):
        age = parent_age - random.randint(19, 36)
        if 0 <= age <= _MOVED_OUT:
            female = random.random() < 0.48
            children.append(Member("DAUGHTER" if female else "SON", female, age))
    return tuple(sorted(children, key=lambda child: -child.age))


def _parents(random: Random, age: int) -> Members:
    years = age + random.randint(20, 32)
    mother = Member("PARENT", female=True, age=min(_OLDEST, years))
    father = Member("PARENT", female=False, age=min(_OLDEST, years + random.randint(0, 5)))
    return random.choice(((mother,), (father,), (father, mother)))


_SHAPES: Final[tuple[Callable[[Random], Members], ...]] = (
    _single,
    _couple,
    _couple_with_children,
    _three_generations,
    _grandparents_with_grandchild,
    _one_parent,
    _elder,
    _elder_couple,
    _siblings,
)
_WEIGHTS: Final = (13, 17, 30, 15, 4, 5, 5, 9, 2)
