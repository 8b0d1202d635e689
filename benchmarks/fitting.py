"""How a cost grows with a size: the exponent of the power that fits best."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import log
from statistics import linear_regression


@dataclass(frozen=True, slots=True)
class Point:
    """What something of one size costs."""

    size: float
    cost: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Costs of growing sizes: what the sizes count, and what the costs are."""

    of: str
    cost: str
    points: Sequence[Point]

    def told(self) -> dict[str, object]:
        """
        Return the curve with its exponents.

        That of the upper half says how it goes on; small sizes cost what a request costs anyway,
        which `each_more` leaves out: the cost of one more, between one size and the next.
        """
        upper = self.points[(len(self.points) - 1) // 2 :]
        steps = pairwise(self.points)
        return {
            "of": self.of,
            "cost": self.cost,
            "exponent": exponent(self.points),
            "exponent_of_upper_half": exponent(upper),
            "each_more": [(b.cost - a.cost) / (b.size - a.size) for a, b in steps],
            "points": [asdict(point) for point in self.points],
        }

    def line(self) -> str:
        """Return the curve in one line."""
        shown = ", ".join(f"{point.size:,.0f} → {point.cost:.3g}" for point in self.points)
        return f"{self.cost} by {self.of}: {shown}; exponent {exponent(self.points)}"


def exponent(points: Sequence[Point]) -> float | None:
    """Return the exponent by least squares on logarithms; None of fewer than two sizes."""
    if len({point.size for point in points}) < 2:
        return None
    sizes, costs = ([log(each) for each in side] for side in _sides(points))
    return round(linear_regression(sizes, costs).slope, 3)


def _sides(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [point.size for point in points], [max(point.cost, 1e-6) for point in points]
