"""
Whether the answer to one question is in the answer to another one, and which part of it.

What is asked for must imply what was asked for then; rows, order, limit and measures are worked out
of the rows at hand with the contract's meaning. Says no where it cannot tell.
"""

from typing import TypeAlias

from contract.predicate import Predicate, all_of, conjuncts, fields_of
from contract.read import Aggregate, Read, Rows
from sources.pruning import must_hold
from sources.rowset import aggregated, keep, limited, of_keys, ordered, project

Question: TypeAlias = Read | Aggregate


def is_complete(asked: Question, rows: Rows) -> bool:
    """Return whether an answer has every row that its predicate keeps."""
    if not isinstance(asked, Read):
        return False
    return asked.limit is None or (asked.for_each is None and len(rows.rows) < asked.limit)


def contained(question: Question, asked: Read, rows: Rows, *, trusted: bool) -> Rows | None:
    """
    Return the answer out of the complete answer to what was asked; None where it may lack rows.

    `trusted` false: that rows satisfy what was asked is not believed.
    """
    rest = _left(question.where, asked.where) if trusted else question.where
    if not _needed(question, rest) <= set(rows.fields):
        return None
    if not (_has_keys(question, asked) and must_hold(asked.where, question.where)):
        return None
    kept = keep(rows, rest)
    return _read(kept, question) if isinstance(question, Read) else aggregated(kept, question)


def _left(where: Predicate, asked: Predicate) -> Predicate:
    """Return what is to be run here: conditions that the rows were asked for with hold already."""
    known = conjuncts(asked)
    return all_of(*(part for part in conjuncts(where) if part not in known))


def _needed(question: Question, rest: Predicate) -> set[str]:
    names = set(fields_of(rest))
    if isinstance(question, Aggregate):
        return names.union(question.group_by, (m.field for m in question.measures if m.field))
    keys = question.for_each.fields if question.for_each else ()
    return names.union(question.fields, keys, (order.field for order in question.order_by))


def _has_keys(question: Question, asked: Read) -> bool:
    if asked.for_each is None:
        return True
    wanted = question.for_each if isinstance(question, Read) else None
    return (
        wanted is not None
        and wanted.fields == asked.for_each.fields
        and set(wanted.keys) <= set(asked.for_each.keys)
    )


def _read(rows: Rows, read: Read) -> Rows:
    if read.for_each is not None:
        rows = of_keys(rows, read.for_each)
    rows = ordered(rows, read.order_by) if read.order_by else rows
    return project(limited(rows, read.limit, read.for_each), read.fields)
