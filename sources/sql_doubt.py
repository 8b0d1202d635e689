"""
What makes the rows of a database unbelievable: they are not what was asked for, as we compare.

A database is asked what it runs with our meaning. Where somebody has changed a type or a collation
there, or put a view in the place of a table, it does not; rows that were left out or taken in by
that cannot be told one by one, so all of them are doubted.
"""

from collections.abc import Sequence
from operator import itemgetter

from contract.predicate import (
    Predicate,
    all_of,
    conjuncts,
    evaluator,
    fields_of,
    relations_of,
)
from contract.read import ForEach, Read, Rows


def doubt(rows: Rows, read: Read, key: Sequence[str]) -> str:
    """Return why the rows are not the answer to the question; empty where nothing speaks of it."""
    if _has_a_key_twice(rows, key):
        return "two rows with one key"
    if read.for_each is not None and _has_other_keys(rows, read.for_each):
        return "a row of a key that nobody asked for"
    if _has_others(rows, read.where):
        return "a row that is not as it was asked for"
    return ""


def _has_a_key_twice(rows: Rows, key: Sequence[str]) -> bool:
    if not key or not {*key} <= {*rows.fields}:
        return False
    places = [rows.fields.index(name) for name in key]
    return len(set(map(itemgetter(*places), rows.rows))) < len(rows.rows)


def _has_other_keys(rows: Rows, asked: ForEach) -> bool:
    if not {*asked.fields} <= {*rows.fields}:
        return False
    places = [rows.fields.index(name) for name in asked.fields]
    known = {*asked.keys}
    return any(tuple([row[place] for place in places]) not in known for row in rows.rows)


def _has_others(rows: Rows, where: Predicate) -> bool:
    there = {*rows.fields}
    known = all_of(
        *(part for part in conjuncts(where) if fields_of(part) <= there and not relations_of(part))
    )
    test = evaluator(known, rows.fields)
    return any(test(row) is not True for row in rows.rows)
