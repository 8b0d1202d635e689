"""
The stand-in of the medical insurance service: one question in an envelope, over HTTP.

A script that knows nothing of ours: `medical_insurance.py FILE PORT TOKEN-FILE PID-FILE`.
It matches citizen numbers character by character, as the system it stands for does.
"""

import os
import secrets
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

QUESTION: Final = "5101"
_BATCH: Final = 100
_PAGE: Final = 200
_COLUMNS: Final = (
    *("psn_no", "certno", "psn_name", "gend", "insutype", "psn_insu_stas", "psn_insu_date"),
    *("emp_name", "balc", "insuplc_admdvs", "updt_time"),
)


class Refused(Exception):
    """A question that is not answered; the message is told to who asks."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whose enrolments are asked for, of which kinds, and which page of them."""

    numbers: tuple[str, ...]
    kinds: tuple[str, ...]
    page: int
    size: int


def question(envelope: object) -> Question:
    """
    Return what an envelope asks.

    Raises: Refused, saying what is wrong.
    """
    asked = envelope.get("input") if isinstance(envelope, Mapping) else None
    if not isinstance(envelope, Mapping) or not isinstance(asked, Mapping):
        raise Refused("报文缺少input")
    if envelope.get("infno") != QUESTION:
        raise Refused("交易编号不正确")
    numbers = _words(asked.get("certno"))
    if not 1 <= len(numbers) <= _BATCH:
        raise Refused(f"certno必填,且不超过{_BATCH}个")
    page, size = _number(asked.get("pageNum", 1)), _number(asked.get("pageSize", _PAGE))
    if page < 1 or not 1 <= size <= _PAGE:
        raise Refused(f"pageNum从1开始,pageSize不超过{_PAGE}")
    return Question(numbers, _words(asked.get("insutype")), page, size)


class Enrollments:
    """The service's file of enrolments, read only."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)

    def answer(self, asked: Question) -> dict[str, object]:
        """Return one page, how many rows there are in all, and which numbers were looked up."""
        where, values = _condition(asked)
        (total,) = self._connection.execute(
            f"SELECT count(*) FROM psn_insu WHERE {where}",  # noqa: S608 -- our own columns
            values,
        ).fetchone()
        rows = self._connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM psn_insu WHERE {where}"  # noqa: S608 -- our own columns
            " ORDER BY psn_no, insutype LIMIT ? OFFSET ?",
            (*values, asked.size, (asked.page - 1) * asked.size),
        )
        found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        return {"insuinfo": found, "total": total, "certnos": list(asked.numbers)}


def application(enrollments: Enrollments, token: str) -> Starlette:
    """Return the service."""

    async def insured(request: Request) -> JSONResponse:
        if not secrets.compare_digest(request.headers.get("X-Token", "").encode(), token.encode()):
            return _envelope({}, 401, "令牌无效")
        envelope: object = None
        try:
            envelope = await request.json()
            return _envelope(envelope, 0, "", enrollments.answer(question(envelope)))
        except ValueError:
            return _envelope({}, -1, "报文不是JSON")
        except Refused as refused:
            return _envelope(envelope, -1, str(refused))

    return Starlette(routes=[Route("/psn/insu", insured, methods=["POST"])])


def _envelope(
    envelope: object, code: int, message: str, output: Mapping[str, object] | None = None
) -> JSONResponse:
    asked: Mapping[str, object] = envelope if isinstance(envelope, Mapping) else {}
    body: dict[str, object] = {
        name: asked.get(name) for name in ("infno", "msgid", "insuplc_admdvs")
    }
    body |= {"infcode": code, "err_msg": message, "output": output}
    return JSONResponse(body, 401 if code == 401 else 200)


def _condition(asked: Question) -> tuple[str, tuple[str, ...]]:
    where = f"certno IN ({', '.join('?' * len(asked.numbers))})"
    if asked.kinds:
        where += f" AND insutype IN ({', '.join('?' * len(asked.kinds))})"
    return where, (*asked.numbers, *asked.kinds)


def _words(value: Any) -> tuple[str, ...]:
    words = value if isinstance(value, list) else str(value).split(",") if value else []
    return tuple(dict.fromkeys(str(word) for word in words))


def _number(value: object) -> int:
    word = str(value)
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0


def main(file: str, port: str, token_file: str, pid_file: str) -> None:
    """Serve the file on loopback until told to stop."""
    Path(pid_file).write_text(str(os.getpid()))
    service = application(Enrollments(Path(file)), Path(token_file).read_text().strip())
    uvicorn.run(service, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
