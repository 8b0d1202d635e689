"""The catalogue of matters: what the province's files hold, and what a wrong file is told."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from schema.graph import core_entities
from sources.matters import CatalogueMistakes, load_matters, matter_rows
from sources.reference import matters_source

FOLDER = Path(__file__).parents[2] / "departments" / "matters"
RECORDS = load_matters(FOLDER)
ROWS = matter_rows(RECORDS)
CLASSES = [
    ("BASIC_INFORMATION", "基本信息"),
    ("LEGAL_BASIS", "设定依据"),
    ("ACTING_BODY", "实施主体"),
    ("ACCEPTANCE_CONDITIONS", "受理条件"),
    ("SITUATIONS", "办理情形"),
    ("MATERIALS", "申请材料"),
    ("PROCESS", "办理流程"),
    ("TIME_LIMITS", "办理时限"),
    ("FEES", "收费标准"),
    ("RESULT", "办理结果"),
    ("CHANNELS", "办理渠道"),
    ("ADVICE", "咨询投诉与常见问题"),
]
NAMES = {
    "人社": [
        "城乡居民养老保险参保登记",
        "居保待遇申领",
        "居保注销登记",
        "灵活就业人员养老保险参保登记",
        "参保暂停/恢复",
        "权益记录查询打印",
        "社会保障卡申领补换",
        "养老待遇资格认证",
        "失业登记及就业困难认定",
    ],
    "医保": [
        "居民医保参保登记",
        "职工/灵活就业参保登记",
        "参保信息变更",
        "参保凭证打印",
        "异地就医备案",
        "门诊慢特病认定",
        "医疗费用零星报销",
        "生育津贴/费用",
    ],
    "民政": [
        "最低生活保障",
        "特困人员认定",
        "临时救助",
        "低保边缘家庭认定",
        "刚性支出困难家庭认定",
        "尊老金",
        "残疾人两项补贴",
        "孤儿/事实无人抚养儿童认定",
    ],
    "卫健": [
        "生育登记",
        "再生育审批",
        "农村部分计划生育家庭奖励扶助",
    ],
    "税务": [
        "城乡居民社保费申报缴纳",
        "灵活就业社保费缴纳",
    ],
    "市监": [
        "食品经营许可",
        "个体工商户设立",
    ],
    "公积金": [
        "个人账户设立",
        "缴存登记",
        "提取",
    ],
}
CATALOGUE = """\
department = "民政"
version = "1"
effective = 2025-07-01

[elements]
FEES = "不收费。"

[material.card]
name = "居民身份证"
required = true
form = "ORIGINAL"
medium = "BOTH"
number = 1
provided_by = "SHARED"
shared_by = "公安"
standard = "在有效期内。"
legal_basis = ""

[[matter]]
code = "320000030001"
name = "救助"
task_type = "05"
project_type = "2"
served = ["1", "2"]
promised_working_days = 10
materials = ["card"]

[matter.elements]
RESULT = ["发给救助金。", "不予救助的，说明理由。"]
"""
TWO_CLASSES = """\
[[class]]
code = "FEES"
title = "收费标准"

[[class]]
code = "RESULT"
title = "办理结果"
"""


def catalogue(folder: Path, *texts: str) -> Path:
    (folder / "element_classes.toml").write_text(TWO_CLASSES, encoding="utf-8")
    for number, text in enumerate(texts):
        (folder / f"{number}.toml").write_text(text, encoding="utf-8")
    return folder


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(CatalogueMistakes) as caught:
        load_matters(folder)

    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def test_the_catalogue_holds_the_thirty_matters_and_the_five_beside_them() -> None:
    names: dict[object, list[object]] = {}
    for row in ROWS.matters:
        names.setdefault(row["department"], []).append(row["name"])

    assert names == NAMES
    assert len(ROWS.matters) == 30 + 5


def test_codes_are_twelve_digits_and_unique() -> None:
    codes = {str(row["code"]) for row in ROWS.matters}

    assert len(codes) == 35
    assert [code for code in codes if len(code) != 12 or not code.isdigit()] == []


def test_every_matter_has_the_twelve_classes_in_order() -> None:
    for record in RECORDS:
        rows = [row for row in ROWS.elements if row["matterCode"] == record.matter.code]
        assert [(row["class"], row["title"]) for row in rows] == CLASSES
        assert [row["position"] for row in rows] == list(range(1, 13))
        assert [row for row in rows if not row["text"]] == []
    assert len(ROWS.elements) == 35 * 12


def test_temporary_assistance_asks_for_seven_materials_to_the_letter() -> None:
    (matter,) = [row for row in ROWS.matters if row["name"] == "临时救助"]

    materials = [row for row in ROWS.materials if row["matterCode"] == matter["code"]]

    assert [(row["position"], row["name"]) for row in materials] == [
        (1, "居民身份证"),
        (2, "居民户口簿"),
        (3, "诚信承诺书"),
        (4, "江苏省居民家庭经济状况核对授权书"),
        (5, "收入证明"),
        (6, "支出证明"),
        (7, "银行卡"),
    ]
    assert matter["applicationForm"] == "临时救助申请表"


def test_positions_of_materials_count_from_one_in_every_matter() -> None:
    counts = Counter(row["matterCode"] for row in ROWS.materials)

    assert counts.keys() == {row["code"] for row in ROWS.matters}
    for code, count in counts.items():
        rows = [row for row in ROWS.materials if row["matterCode"] == code]
        assert [row["position"] for row in rows] == list(range(1, count + 1))


def test_days_that_a_time_limit_names_are_the_days_of_the_matter() -> None:
    for record in RECORDS:
        (text,) = [element.text for element in record.elements if element.code == "TIME_LIMITS"]
        days = [record.matter.promised_working_days, record.matter.statutory_working_days]
        missing = [day for day in days if day and f"{day}个工作日" not in text]
        assert (record.matter.name, missing) == (record.matter.name, [])
        assert record.matter.promised_working_days or ("即时" in text or "当场" in text)


def test_a_file_becomes_rows(tmp_path: Path) -> None:
    rows = matter_rows(load_matters(catalogue(tmp_path, CATALOGUE)))

    assert rows.matters == [
        {
            "code": "320000030001",
            "name": "救助",
            "department": "民政",
            "kind": "PROMISED",
            "taskType": "BENEFIT",
            "served": "NATURAL_PERSON,COMPANY",
            "version": "1",
            "effectiveDate": date(2025, 7, 1),
            "statutoryWorkingDays": None,
            "promisedWorkingDays": 10,
            "applicationForm": None,
        }
    ]
    assert rows.elements == [
        {
            "matterCode": "320000030001",
            "class": "FEES",
            "title": "收费标准",
            "text": "不收费。",
            "position": 1,
        },
        {
            "matterCode": "320000030001",
            "class": "RESULT",
            "title": "办理结果",
            "text": "发给救助金。\n不予救助的，说明理由。",
            "position": 2,
        },
    ]
    assert rows.materials == [
        {
            "matterCode": "320000030001",
            "position": 1,
            "name": "居民身份证",
            "required": True,
            "form": "ORIGINAL",
            "medium": "BOTH",
            "number": 1,
            "providedBy": "SHARED",
            "sharedBy": "公安",
            "standard": "在有效期内。",
            "legalBasis": None,
        }
    ]


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    wrong_values = (
        CATALOGUE.replace('form = "ORIGINAL"', 'form = "SCAN"')
        .replace("number = 1", 'number = "1"')
        .replace('shared_by = "公安"\n', "")
        .replace('name = "救助"', 'nmae = "救助"')
        .replace('task_type = "05"', 'task_type = "5"')
    )

    told = mistakes(catalogue(tmp_path, wrong_values, "department ="))

    assert told == [
        "0.toml:11: material.card.form: Input should be 'ORIGINAL', 'COPY' or 'BOTH'."
        " Correct the value.",
        "0.toml:13: material.card.number: Input should be a valid integer. Correct the value.",
        "0.toml:18: matter.0.name: Field required. Write it.",
        "0.toml:21: matter.0.task_type: '5' is none of 01, 02, 03, 04, 05, 06, 07, 08,"
        " 09, 10, 20. Correct the value.",
        "0.toml:20: matter.0.nmae: Extra inputs are not permitted. Remove it, or correct its"
        " spelling.",
        '1.toml:1: this is not TOML: invalid value. Write key = value, texts in "quotes", each key'
        " once.",
    ]


def test_contradictions_between_the_parts_of_files_are_told(tmp_path: Path) -> None:
    wrong = (
        CATALOGUE.replace('materials = ["card"]', 'materials = ["book", "book"]')
        .replace("RESULT", "RESULTS")
        .replace("320000030001", "320000030002")
    )

    told = mistakes(catalogue(tmp_path, wrong, CATALOGUE.replace("030001", "030002")))

    assert told == [
        "0.toml:29: matter.0.elements.RESULTS: no such class of elements."
        " See element_classes.toml.",
        "0.toml:8: material.card: not asked for. Remove it.",
        "0.toml:28: matter.0.elements.RESULT: 办理结果 is not written."
        " Write it here, or for all matters.",
        "0.toml:26: matter.0.materials: no material is called 'book'. Add [material.book].",
        "0.toml:26: matter.0.materials: no material is called 'book'. Add [material.book].",
        "0.toml:26: matter.0.materials: 'book' is asked for twice. Remove one; `number` says how"
        " many.",
        f"1.toml:20: matter.0.code: 320000030002 is taken by {tmp_path}/0.toml:20."
        " Give it a number of its own.",
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "what"),
    [
        (
            "promised_working_days = 10",
            "promised_working_days = 0",
            "a matter is promised in 0 working days where, and only where, project_type is 1",
        ),
        (
            "promised_working_days = 10",
            "promised_working_days = 10\nstatutory_working_days = 5",
            "more working days are promised than the statute allows",
        ),
    ],
)
def test_days_that_contradict_are_refused(
    tmp_path: Path, right: str, wrong: str, what: str
) -> None:
    told = mistakes(catalogue(tmp_path, CATALOGUE.replace(right, wrong)))

    assert told == [f"0.toml:19: matter.0: {what}. Correct the value."]


def test_a_shared_material_names_who_shares_it(tmp_path: Path) -> None:
    told = mistakes(catalogue(tmp_path, CATALOGUE.replace('shared_by = "公安"\n', "")))

    assert told == [
        "0.toml:8: material.card: shared_by names a department where, and only where, it is"
        " SHARED. Correct the value."
    ]


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    told = mistakes(tmp_path)

    assert told == [
        "element_classes.toml:1: the file cannot be read: No such file or directory. Check it.",
        f"{tmp_path}:1: no matters here. Add a file.",
    ]


def test_without_a_catalogue_who_holds_matters_holds_them_alone(tmp_path: Path) -> None:
    there = matters_source(core_entities(), FOLDER, {"Matter", "Case"})
    nobody = matters_source(core_entities(), tmp_path / "nothing", {"Matter", "Case"})

    assert set(there.entities) == {"Matter", "MatterElement", "Material"}
    assert set(nobody.entities) == {"MatterElement", "Material"}
