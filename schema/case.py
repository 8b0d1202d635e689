"""Cases (办件) and what belongs to them, from the service platform."""

from datetime import date, datetime

from contract.entity import Field, Kind, Sensitivity
from schema.codes import ApplicantType, CaseStatus, Channel, MaterialForm, ResultKind
from schema.column import column, core, to_many, to_one
from schema.node import Node
from schema.scalars import DivisionCode

PERSONAL, RESTRICTED = Sensitivity.PERSONAL, Sensitivity.RESTRICTED

_PART = (
    Field("number", Kind.STRING, nullable=False),
    Field("caseNumber", Kind.STRING, nullable=False),
)


@core("办件:一次申请及其办理 | A case: an application and how it is handled", key=("number",))
class Case(Node):
    number: str = column("办件编号 | Case number")
    matter_code: str = column("事项基本编码 | Basic code of the matter")
    department: str | None = column("主办部门 | Acting department")
    applicant_type: ApplicantType | None = column("申请人类型 | Kind of applicant")
    applicant_name: str | None = column("申请人 | Applicant's name", PERSONAL)
    applicant_id_number: str | None = column(
        "申请人证件号码(按岗位脱敏) | Applicant's document number, masked by role", RESTRICTED
    )
    contact_name: str | None = column("联系人 | Contact's name", PERSONAL)
    contact_phone: str | None = column(
        "联系电话(按岗位脱敏) | Contact's telephone, masked by role", RESTRICTED
    )
    channel: Channel | None = column("申请渠道 | Channel of application")
    status: CaseStatus | None = column("状态 | Status")
    applied_at: datetime | None = column("申请时间 | Applied at, UTC")
    accepted_at: datetime | None = column("受理时间 | Accepted at, UTC")
    promised_on: date | None = column("承诺办结日期 | Promised to be closed on")
    closed_at: datetime | None = column("办结时间 | Closed at, UTC")
    accepting_division: DivisionCode | None = column("受理地区划 | Division of acceptance")
    accepting_organisation: str | None = column("受理机构 | Accepting organisation")
    handler: str | None = column("经办人 | Handled by")
    updated_at: datetime | None = column("来源系统更新时间 | Changed in the source at, UTC")

    matter = to_one("Matter", "所办事项 | The matter", matter_code="code")
    applicant = to_one("Resident", "申请人 | The applicant", applicant_id_number="idNumber")
    accepted_in = to_one("Division", "受理地 | Where accepted", accepting_division="code")
    events = to_many("CaseEvent", "办理过程 | How it was handled", listed=True, number="caseNumber")
    materials = to_many(
        "CaseMaterial", "收取的材料 | Materials taken", listed=True, number="caseNumber"
    )
    results = to_many("CaseResult", "办理结果 | Results", listed=True, number="caseNumber")


@core("办件过程中的一个环节 | One step of a case", key=("number",), hidden=_PART)
class CaseEvent(Node):
    name: str | None = column("环节 | Step")
    started_at: datetime | None = column("开始时间 | Started at, UTC")
    ended_at: datetime | None = column("结束时间 | Ended at, UTC")
    handler: str | None = column("办理人 | Handled by")
    note: str | None = column("办理意见 | Note", PERSONAL)

    case = to_one("Case", "所属办件 | The case", case_number="number")


@core("办件收取的一份材料 | A material taken for a case", key=("number",), hidden=_PART)
class CaseMaterial(Node):
    name: str | None = column("材料名称 | Name of the material")
    form: MaterialForm | None = column("收取形式 | Form taken")
    quantity: int | None = column("份数 | Copies", unit="copy")

    case = to_one("Case", "所属办件 | The case", case_number="number")


@core("办件结果 | Result of a case", key=("number",), hidden=_PART)
class CaseResult(Node):
    kind: ResultKind | None = column("结果 | Result")
    decided_on: date | None = column("决定日期 | Decided on")
    explanation: str | None = column("结果说明 | Explanation", PERSONAL)
    certificate_name: str | None = column("证照名称 | Name of the certificate")
    certificate_number: str | None = column("证照编号 | Number of the certificate", RESTRICTED)
    satisfaction: int | None = column("满意度(1至5) | Satisfaction, 1 to 5")

    case = to_one("Case", "所属办件 | The case", case_number="number")
