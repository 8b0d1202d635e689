"""A picture of the ratios: how this server compares with each other one, on a logarithmic axis."""

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import Final
from xml.sax.saxutils import escape

_QUESTIONS: Final = {"q1": "Q1, a point", "q2": "Q2, a nested list", "q3": "Q3, a report"}
_LEFT, _WIDTH, _ROW, _HEAD = 150, 520, 18, 30
_LEAST, _MOST = 0.1, 100.0
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#24292f}.title{font-weight:bold}.axis{stroke:#d0d7de}"
    ".one{stroke:#24292f}.more{fill:#2da44e}.less{fill:#bf8700}"
    "rect.ground{fill:#ffffff}"
)


def drawn(against: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """
    Return an SVG of `township_against`: how many times as much CPU each server takes.
    """
    parts: list[str] = []
    top = 0
    for question, title in _QUESTIONS.items():
        rows = [
            (name, 1 / ratios[question]["cpu_ms"])
            for name, ratios in against.items()
            if question in ratios
        ]
        parts += _panel(title, sorted(rows, key=_ratio), top)
        top += _HEAD + _ROW * len(rows) + _HEAD
    size = f'width="{_LEFT + _WIDTH + 60}" height="{top}"'
    ground = f'<rect class="ground" {size}/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    title = "<title>CPU of other servers by request, as a multiple of this server's</title>"
    return "\n".join([head, title, f"<style>{_STYLE}</style>", ground, *parts, "</svg>", ""])


def _ratio(row: tuple[str, float]) -> float:
    return row[1]


def _panel(title: str, rows: Sequence[tuple[str, float]], top: int) -> Iterator[str]:
    yield _text(_LEFT, top + 16, title, "title")
    bottom = top + _HEAD + _ROW * len(rows)
    for mark in (0.1, 0.3, 1, 3, 10, 30, 100):
        kind = "one" if mark == 1 else "axis"
        at = f'x1="{_x(mark):.1f}" x2="{_x(mark):.1f}" y1="{top + _HEAD - 6}" y2="{bottom}"'
        yield f'<line class="{kind}" {at}/>'
        yield _text(_x(mark), bottom + 14, f"{mark:g}×", "", "middle")
    for number, (name, ratio) in enumerate(rows):
        yield from _bar(name, ratio, top + _HEAD + number * _ROW)


def _bar(name: str, ratio: float, top: int) -> Iterator[str]:
    start, end = sorted((_x(1), _x(ratio)))
    kind = "more" if ratio >= 1 else "less"
    place = f'x="{start:.1f}" y="{top}" width="{end - start:.1f}" height="{_ROW - 6}"'
    yield f'<rect class="{kind}" {place}/>'
    yield _text(_LEFT - 10, top + 10, name, "", "end")
    yield _text(end + 4, top + 10, f"{ratio:.2g}×")


def _x(ratio: float) -> float:
    share = log10(min(_MOST, max(_LEAST, ratio)) / _LEAST) / log10(_MOST / _LEAST)
    return _LEFT + _WIDTH * share


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return (
        f"<text {place}{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{escape(text)}</text>"
    )
