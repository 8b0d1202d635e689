"""Scene: the matter 临时救助 with its twelve classes and seven materials."""

import pytest

from tests.scenes.desk import CLERK, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

MATTER = """
query Matter($code: String) {
  matter(code: $code) {
    name department taskType kind statutoryWorkingDays promisedWorkingDays applicationForm
    elements(orderBy: [{position: ASC}]) { position class title text }
    materials { name required form number providedBy sharedBy }
  }
}
"""
CLASSES = [
    (1, "BASIC_INFORMATION", "基本信息"),
    (2, "LEGAL_BASIS", "设定依据"),
    (3, "ACTING_BODY", "实施主体"),
    (4, "ACCEPTANCE_CONDITIONS", "受理条件"),
    (5, "SITUATIONS", "办理情形"),
    (6, "MATERIALS", "申请材料"),
    (7, "PROCESS", "办理流程"),
    (8, "TIME_LIMITS", "办理时限"),
    (9, "FEES", "收费标准"),
    (10, "RESULT", "办理结果"),
    (11, "CHANNELS", "办理渠道"),
    (12, "ADVICE", "咨询投诉与常见问题"),
]
SEVEN = [
    ("居民身份证", "BOTH", "SHARED", "公安"),
    ("居民户口簿", "BOTH", "SHARED", "公安"),
    ("诚信承诺书", "ORIGINAL", "APPLICANT", None),
    ("江苏省居民家庭经济状况核对授权书", "ORIGINAL", "APPLICANT", None),
    ("收入证明", "ORIGINAL", "APPLICANT", None),
    ("支出证明", "BOTH", "APPLICANT", None),
    ("银行卡", "COPY", "APPLICANT", None),
]


async def test_temporary_assistance_has_twelve_classes_and_exactly_seven_materials(
    desk: Desk,
) -> None:
    matter = (await desk.ask(CLERK, MATTER, code="320000030003")).data["matter"]

    elements = matter.pop("elements")
    assert matter == {
        "name": "临时救助",
        "department": "民政",
        "taskType": "BENEFIT",
        "kind": "PROMISED",
        "statutoryWorkingDays": 20,
        "promisedWorkingDays": 10,
        "applicationForm": "临时救助申请表",
        "materials": [
            {
                "name": name,
                "required": True,
                "form": form,
                "number": 1,
                "providedBy": provided_by,
                "sharedBy": shared_by,
            }
            for name, form, provided_by, shared_by in SEVEN
        ],
    }
    assert [(each["position"], each["class"], each["title"]) for each in elements] == CLASSES
    assert all(each["text"] for each in elements)
