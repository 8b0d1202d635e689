from pathlib import Path

import pytest

from contract.document import Mistakes
from schema.graph import core_entities
from sources.needs import needs_of

ROOT = Path(__file__).parents[2]
MATTERS = ROOT / "departments" / "matters"


def written(folder: Path, needs: str) -> Path:
    for path in (MATTERS / "element_classes.toml", MATTERS / "tax.toml"):
        text = path.read_text("utf-8")
        first = next((line for line in text.splitlines() if line.startswith("needs")), "needs")
        (folder / path.name).write_text(text.replace(first, f"needs = [{needs}]", 1), "utf-8")
    return folder


def test_a_matter_needs_what_its_materials_do() -> None:
    needs = needs_of(MATTERS, core_entities())

    assert needs["320000030001"] == {
        "Resident.idNumber",
        "Resident.phone",
        "Case.applicantIdNumber",
        "Case.contactPhone",
    }
    assert all(each <= needs["320000030001"] for each in needs.values())


def test_without_a_catalogue_no_matter_needs_anything(tmp_path: Path) -> None:
    assert needs_of(tmp_path / "matters", core_entities()) == {}


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ('"Residnt.phone"', 'there is no entity "Residnt". Write Resident.'),
        ('"Resident.phon"', 'there is no field "phon". Write one of phone.'),
    ],
)
def test_a_need_that_the_graph_does_not_have_is_refused_with_its_line(
    tmp_path: Path, needs: str, said: str
) -> None:
    folder = written(tmp_path, needs)
    lines = (folder / "tax.toml").read_text("utf-8").splitlines()

    with pytest.raises(Mistakes) as caught:
        needs_of(folder, core_entities())

    assert (
        str(caught.value)
        == f"{folder / 'tax.toml'}:{lines.index(f'needs = [{needs}]') + 1}: {said}"
    )
