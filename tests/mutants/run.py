"""
Weakens the project one line at a time and shows that the tests see it.

`python -m tests.mutants.run [NAME…] [--jobs N]`
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.mutating import Mutant, Outcome, copied, failures, mutants, tried


def outcomes(chosen: Sequence[Mutant], jobs: int, folder: Path) -> Iterator[Outcome]:
    """
    Yield what became of each mutant; nothing is shown by tests that fail without any.
    """
    copies: SimpleQueue[Path] = SimpleQueue()
    for number in range(jobs):
        copies.put(copied(folder / str(number)))
    whole = copies.get()
    tests = sorted({test for mutant in chosen for test in mutant.tests})
    red = {failed.split("::")[0] for failed in failures(whole, tests)}
    copies.put(whole)

    def attempt(mutant: Mutant) -> Outcome:
        broken = [
            file for file in red for test in mutant.tests if file.startswith(test.split("::")[0])
        ]
        if broken:
            return Outcome(mutant.name, killed=False, by=broken[0], seconds=0.0, red=True)
        copy = copies.get()
        try:
            return tried(copy, mutant)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(attempt, chosen)


def main() -> int:
    """Return 0 where every mutant was killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    chosen = [each for each in mutants() if not given.names or each.name in given.names]
    survivors, seconds = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for outcome in outcomes(chosen, given.jobs, Path(folder)):
            word = "killed" if outcome.killed else "RED" if outcome.red else "SURVIVED"
            _say(f"{word:8} {outcome.seconds:6.1f} s  ")
            _say(f"{outcome.mutant}{' by ' if outcome.by else ''}{outcome.by}\n")
            seconds += outcome.seconds
            survivors += [] if outcome.killed else [outcome.mutant]
    _say(f"{len(chosen) - len(survivors)} of {len(chosen)} killed in {seconds:.0f} s\n")
    return 1 if survivors or not chosen else 0


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
