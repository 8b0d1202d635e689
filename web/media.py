"""Which media type an answer has, from what the client accepts."""

from typing import Final

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"

_RANGES: Final = {
    GRAPHQL: (GRAPHQL, "application/*", "*/*"),
    JSON: (JSON, "application/*", "*/*"),
}


def negotiated(accept: str | None) -> str | None:
    """Return the type the client likes best; JSON where it does not say; None for neither."""
    if not accept or not accept.strip():
        return JSON
    wishes = dict(_wish(part) for part in reversed(accept.split(",")))
    quality = {kind: _quality(kind, wishes) for kind in (JSON, GRAPHQL)}
    best = max(quality, key=lambda kind: (quality[kind], kind in wishes and kind == GRAPHQL))
    return best if quality[best] > 0 else None


def _quality(kind: str, wishes: dict[str, float]) -> float:
    return next((wishes[wish] for wish in _RANGES[kind] if wish in wishes), 0.0)


def _wish(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return kind, float(weight)
    except ValueError:
        return kind, 0.0
