"""
Answers over HTTP that say beside their rows that they are none, where the file does not ask.

A system may answer what it cannot do with status 200, no rows and a code of its own; unless the
mapping file names that code, the answer reads as "there are none". Knows no principal.
"""

from collections.abc import Iterable
from typing import Final

from contract.document import Place
from contract.errors import SourceFailure
from contract.predicate import Operator
from onboarding.http_probe import Probe
from onboarding.leaves import leaf_of
from onboarding.trial import Claim, Exhausted, Trial, Verdict
from sources.http_question import Question

_MOST: Final = 2
_LONGEST: Final = 8  # characters of a code; what is longer may be a text


async def unsaid_success(trial: Trial, probe: Probe, claims: Iterable[Claim]) -> list[Claim]:
    """
    Return that `success` is missing, where an answer without rows says another code than others.

    Reads:  a page for each of two filters that were disproved, and one more.
    """
    if probe.endpoint.success or probe.source.department.kind != "rest":
        return []
    refuted = [claim.name for claim in claims if claim.verdict is Verdict.DISPROVED]
    filters = [key for key in probe.endpoint.parameters if ".".join(key) in refuted]
    for field, operator in filters[:_MOST]:
        try:
            found = await _told(trial, probe, field, Operator(operator))
        except (SourceFailure, Exhausted):
            return []
        if found:
            return [found]
    return []


async def _told(trial: Trial, probe: Probe, field: str, operator: Operator) -> Claim | None:
    leaf = leaf_of(trial, field, operator)
    plain = await probe.by_keys(trial.sample.asked)
    asked = await probe.by_keys(trial.sample.asked, leaf) if leaf else []
    if not asked or not plain:
        return None
    before = await probe.envelope(plain[0] if trial.sample.asked else Question(()))
    after = await probe.envelope(asked[0])
    for name in before.keys() & after.keys():
        said = str(before[name])
        if before[name] != after[name] and len(said) <= _LONGEST and not said.isalpha():
            return _success(probe, name, before[name], f"{field}.{operator}")
    return None


def _success(probe: Probe, name: str, value: str | int, asked: str) -> Claim:
    place: Place = ("entity", probe.mapped.entity.name, "rest", "success")
    spelled = f'"{value}"' if isinstance(value, str) else str(value)
    why = f"when asked for {asked} it says another {name}, and no rows"
    return Claim(
        "success", Verdict.DISPROVED, why, place, f"Write success = {{ {name} = {spelled} }}."
    )
