"""
Mutants: the project with one line that enforces permission removed or weakened.

Each file `*.toml` beside this one lists mutants: `file`, the exact text there (`old`), what takes
its place (`new`), `why` that would be a hole, and the `tests` of which one must fail. `also` is a
second place of the same file, by old and new text, where one alone would not run.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LEFT_OUT: Final = shutil.ignore_patterns(
    ".venv", ".git", ".state", ".coverage*", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    ".hypothesis", "__pycache__", "build", "node_modules",
)  # fmt: skip
MOST_SECONDS: Final = 1_800
_PASSED, _FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line that enforces permission, weakened."""

    name: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]
    also: tuple[str, ...] = ()

    def mutated(self, text: str) -> str:
        """
        Return the file's text with the weakened line.

        Raises: ValueError where the line is not there just once.
        """
        for old, new in ((self.old, self.new), *([self.also] if self.also else [])):
            if text.count(old) != 1:
                raise ValueError(f"{self.name}: {self.file} has {old!r} {text.count(old)} times")
            text = text.replace(old, new)
        return text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests said: `killed` by the first test that failed, or by none."""

    mutant: str
    killed: bool
    by: str
    seconds: float
    red: bool = False  # one of its tests fails without it, so that nothing is shown


def mutants() -> tuple[Mutant, ...]:
    """Return every mutant that is listed."""
    return tuple(
        Mutant(name, **{**told, "tests": tuple(told["tests"]), "also": tuple(told.get("also", ()))})
        for path in sorted(Path(__file__).parent.glob("*.toml"))
        for name, told in tomllib.loads(path.read_text("utf-8")).items()
    )


def copied(folder: Path) -> Path:
    """Return a copy of the project in which files may be changed."""
    copy = folder / "project"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    for needed in ("build",):
        if (ROOT / needed).exists():
            (copy / needed).symlink_to(ROOT / needed)
    return copy


def tried(copy: Path, mutant: Mutant) -> Outcome:
    """Return whether the tests see the mutant; the copy is as before afterwards."""
    path = copy / mutant.file
    before = path.read_text("utf-8")
    path.write_text(mutant.mutated(before), "utf-8")
    begun = perf_counter()
    try:
        failed = first_failure(copy, mutant.tests)
    finally:
        path.write_text(before, "utf-8")
    return Outcome(mutant.name, failed != "", failed, perf_counter() - begun)


def first_failure(copy: Path, tests: Sequence[str]) -> str:
    """Return which of the tests failed first; an empty text where all passed."""
    return next(iter(failures(copy, tests, "-x")), "")


def failures(copy: Path, tests: Sequence[str], *options: str) -> list[str]:
    """
    Return which of the tests failed.

    Raises: RuntimeError where the tests could not be run at all, which shows nothing.
    """
    chosen = ("-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly")
    ended = subprocess.run(  # noqa: S603 -- our own tests
        [sys.executable, "-m", "pytest", *chosen, *options, "-m", "not deep", *tests],
        cwd=copy,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    if ended.returncode == _PASSED:
        return []
    failed = list(_failures(ended.stdout))
    if ended.returncode != _FAILED or not failed:
        raise RuntimeError(f"no test ran: {ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return failed


def _failures(told: str) -> Iterator[str]:
    for line in told.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            yield line.split(" ", 1)[1].split(" - ")[0]


def _environment() -> dict[str, str]:
    """Return the environment without what this run of tests, or its coverage, has put there."""
    own = ("PYTEST_", "COVERAGE_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
