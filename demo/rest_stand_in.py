"""
The stand-in of a department's REST service: questions over one SQLite file, as a description says.

A script that knows nothing of ours: `rest_stand_in.py FILE DESCRIPTION PORT SECRET-FILE PID-FILE`.
It needs the standard library alone, so that a dozen of them start quickly and stay small.
"""

import base64
import hmac
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote

_SKEW_MILLISECONDS: Final = 300_000
_LEVELS: Final = (2, 4, 6, 9, 12)


class Refused(Exception):
    """A question that is not answered: its status, and what is told to who asks."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Question:
    """
    What may be asked of one table, and how the answer is put.

    `parameters`: name -> column and "in" (texts between commas), "under" (a division or what is
    beneath it), "contains", "from" or "to" (both inclusive; of texts that sort as they mean, where
    an empty one is none). `needs`: parameters of which one must be given; none: it can be
    listed. `key` is unique, and the order. `paging`: "page", "offset" or "cursor", its parameter,
    that of the size. `rows`, `total`, `following` (the next cursor): where they are in the answer.
    """

    table: str
    columns: tuple[str, ...]
    key: str
    parameters: Mapping[str, tuple[str, str]]
    paging: tuple[str, str, str]
    rows: str
    total: str
    needs: tuple[str, ...] = ()
    following: str = ""
    most_rows: int = 200
    most_values: int = 100
    envelope: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """
    All questions by path, and how requests are proved to come from a partner.

    `style`: "header", a header with the secret; "hmac", four headers of which `header` is a
    signature with the secret: of method, path, query, time, nonce and digest of the body.
    """

    questions: Mapping[str, Question]
    style: str
    header: str
    key: str = ""


class Answers:
    """Answers questions from the file, one connection for each thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()

    def answer(self, question: Question, asked: Mapping[str, str]) -> dict[str, Any]:
        """
        Return one page of what is asked, within the question's envelope.

        Raises: Refused, saying what is wrong.
        """
        where, values = _condition(question, asked)
        total = self._rows(f"SELECT count(*) FROM {question.table} WHERE {where}", values)[0][0]  # noqa: S608 -- described
        page, paged, size = _page(question, asked)
        statement = (
            f"SELECT {', '.join(question.columns)} FROM {question.table}"  # noqa: S608 -- described
            f" WHERE {where} AND {page} ORDER BY {question.key} LIMIT ? OFFSET ?"
        )
        rows = self._rows(statement, (*values, *paged))
        found = [dict(zip(question.columns, row, strict=True)) for row in rows]
        body: dict[str, Any] = json.loads(json.dumps(question.envelope))
        _put(body, question.rows, found)
        _put(body, question.total, total)
        if question.following:
            more = len(found) == size
            _put(body, question.following, _sealed(found[-1][question.key]) if more else None)
        return body

    def _rows(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            address = f"file:{quote(str(self._file))}?mode=ro"
            connection = self._local.connection = sqlite3.connect(address, uri=True)
        return connection.execute(statement, values).fetchall()


class Doorkeeper:
    """Lets in what is signed with the secret, each signature once."""

    def __init__(self, service: Service, secret: str) -> None:
        self._service = service
        self._secret = secret.encode()
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()

    def check(self, target: tuple[str, str, str], headers: Message) -> None:
        """
        Refuse a request that is not proved; `target`: its method, path and query as sent.

        Raises: Refused.
        """
        given = headers.get(self._service.header, "").encode()
        wanted = self._secret
        if self._service.style == "hmac":
            wanted = self._signature(target, headers)
        if not hmac.compare_digest(given, wanted):
            raise Refused(401, "签名或令牌无效")

    def _signature(self, target: tuple[str, str, str], headers: Message) -> bytes:
        name = self._service.header
        key, stamp, nonce = (
            headers.get(f"{name}-{part}", "") for part in ("Key", "Timestamp", "Nonce")
        )
        if key != self._service.key or not stamp.isdigit():
            raise Refused(401, "签名缺少要素")
        self._check_fresh(int(stamp), nonce)
        text = "\n".join((*target, stamp, nonce, sha256(b"").hexdigest()))
        return hmac.new(self._secret, text.encode(), sha256).hexdigest().encode()

    def _check_fresh(self, stamp: int, nonce: str) -> None:
        now = time.time_ns() // 1_000_000
        with self._lock:
            if abs(now - stamp) > _SKEW_MILLISECONDS or nonce in self._seen:
                raise Refused(401, "请求已过期或重复")
            self._seen[nonce] = stamp
            while stamp - next(iter(self._seen.values())) > 2 * _SKEW_MILLISECONDS:
                del self._seen[next(iter(self._seen))]


def handler(
    service: Service, answers: Answers, doorkeeper: Doorkeeper
) -> type[BaseHTTPRequestHandler]:
    """Return what handles the service's requests."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body in one packet

        def do_GET(self) -> None:
            try:
                status, body = 200, self._answer()
            except Refused as refused:
                status, body = refused.status, {"code": refused.status, "message": str(refused)}
            except sqlite3.Error as error:
                status, body = 500, {"code": 500, "message": error.sqlite_errorname}
            text = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _answer(self) -> dict[str, Any]:
            path, _, query = self.path.partition("?")
            doorkeeper.check((self.command, path, query), self.headers)
            question = service.questions.get(unquote(path))
            if question is None:
                raise Refused(404, "没有这个接口")
            return answers.answer(question, dict(parse_qsl(query, keep_blank_values=True)))

        def log_message(self, *_: object) -> None:
            """Say nothing: requests have citizen numbers in them."""

    return Handler


def described(text: str) -> Service:
    """Return the service of a description in JSON."""
    written = json.loads(text)
    questions = {path: Question(**each) for path, each in written.pop("questions").items()}
    return Service(questions, **written)


def _condition(question: Question, asked: Mapping[str, str]) -> tuple[str, tuple[object, ...]]:
    if question.needs and not any(asked.get(name) for name in question.needs):
        raise Refused(400, f"须提供{'或'.join(question.needs)}")
    parts, values = ["1"], list[object]()
    for name, value in asked.items():
        if name in question.paging[1:]:
            continue
        if name not in question.parameters:
            raise Refused(400, f"未知参数{name}")
        column, way = question.parameters[name]
        part, operands = _WAYS[way](column, value)
        if len(operands) > question.most_values:
            raise Refused(400, f"{name}不超过{question.most_values}个")
        parts.append(part)
        values += operands
    return " AND ".join(parts), tuple(values)


def _in(column: str, value: str) -> tuple[str, list[str]]:
    words = list(dict.fromkeys(value.split(",")))
    return f"{column} IN ({', '.join('?' * len(words))})", words


def _under(column: str, value: str) -> tuple[str, list[str]]:
    significant = next((size for size in _LEVELS if not value[size:].strip("0")), 12)
    start = value[:significant]
    return f"{column} >= ? AND {column} < ?", [start, f"{start}:"]  # the colon follows the nine


def _contains(column: str, value: str) -> tuple[str, list[str]]:
    return f"instr({column}, ?) > 0", [value]


def _from(column: str, value: str) -> tuple[str, list[str]]:
    return f"{column} >= ? AND {column} > ''", [value]


def _to(column: str, value: str) -> tuple[str, list[str]]:
    return f"{column} <= ? AND {column} > ''", [value]


_WAYS: Final = {"in": _in, "under": _under, "contains": _contains, "from": _from, "to": _to}


def _page(question: Question, asked: Mapping[str, str]) -> tuple[str, tuple[object, ...], int]:
    """Return the condition of the page, its operands with limit and offset, and its size."""
    style, place, wanted = question.paging
    size = _number(asked.get(wanted, str(question.most_rows)), wanted)
    if not 1 <= size <= question.most_rows:
        raise Refused(400, f"{wanted}不超过{question.most_rows}")
    if style == "cursor":
        after = asked.get(place, "")
        return f"{question.key} > ?", (_opened(after), size, 0), size
    start = _number(asked.get(place, "1" if style == "page" else "0"), place)
    skipped = (start - 1) * size if style == "page" else start
    if skipped < 0:
        raise Refused(400, f"{place}从1开始")
    return "1", (size, skipped), size


def _number(word: str, name: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        raise Refused(400, f"{name}不是数字")
    return int(word)


def _sealed(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _opened(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode(), b"-_", validate=True).decode()
    except ValueError:
        raise Refused(400, "游标无效") from None


def _put(body: dict[str, Any], path: str, value: object) -> None:
    *outer, name = path.split(".")
    for step in outer:
        body = body.setdefault(step, {})
    body[name] = value


class Server(ThreadingHTTPServer):
    """One thread for each connection; none keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


def main(file: str, description: str, port: str, secret_file: str, pid_file: str) -> None:
    """Serve the file on loopback until told to stop."""
    Path(pid_file).write_text(str(os.getpid()))
    service = described(Path(description).read_text(encoding="utf-8"))
    doorkeeper = Doorkeeper(service, Path(secret_file).read_text().strip())
    server = Server(("127.0.0.1", int(port)), handler(service, Answers(Path(file)), doorkeeper))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
