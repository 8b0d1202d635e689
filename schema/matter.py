"""Matters (事项): the province's catalogue, each in twelve classes of elements."""

from datetime import date
from enum import Enum

from schema.codes import code_set
from schema.column import column, core, to_many, to_one
from schema.node import Node


@code_set("办事要素的类别 | Class of a matter's elements")
class ElementClass(Enum):
    BASIC_INFORMATION = "基本信息 | Basic information"
    LEGAL_BASIS = "设定依据 | Legal basis"
    ACTING_BODY = "实施主体 | Acting body"
    ACCEPTANCE_CONDITIONS = "受理条件 | Conditions of acceptance"
    SITUATIONS = "办理情形 | Situations"
    MATERIALS = "申请材料 | Materials"
    PROCESS = "办理流程 | Process"
    TIME_LIMITS = "办理时限 | Time limits"
    FEES = "收费 | Fees"
    RESULT = "办理结果 | Result"
    CHANNELS = "办理渠道 | Channels"
    ADVICE = "咨询、投诉与常见问题 | Advice, complaints, questions"


@code_set("事项类型 | Type of matter")
class TaskType(Enum):
    LICENCE = "行政许可 | Licence"
    PENALTY = "行政处罚 | Penalty"
    COERCION = "行政强制 | Coercion"
    LEVY = "行政征收 | Levy"
    BENEFIT = "行政给付 | Benefit"
    INSPECTION = "行政检查 | Inspection"
    CONFIRMATION = "行政确认 | Confirmation"
    AWARD = "行政奖励 | Award"
    RULING = "行政裁决 | Ruling"
    OTHER = "其他行政权力 | Other power"
    PUBLIC_SERVICE = "公共服务 | Public service"


@code_set("办件类型 | Whether a matter is settled at once")
class MatterKind(Enum):
    IMMEDIATE = "即办件 | Immediate"
    PROMISED = "承诺件 | Promised"


@code_set("材料要求的形式 | Form a material is required in")
class RequiredForm(Enum):
    ORIGINAL = "原件 | Original"
    COPY = "复印件 | Copy"
    BOTH = "原件和复印件 | Original and copy"


@code_set("材料载体 | Medium of a material")
class Medium(Enum):
    PAPER = "纸质 | Paper"
    ELECTRONIC = "电子 | Electronic"
    BOTH = "纸质或电子 | Paper or electronic"


@code_set("材料来源 | Who provides a material")
class ProvidedBy(Enum):
    APPLICANT = "申请人提供 | The applicant"
    SHARED = "部门共享,免于提交 | Shared by a department"


@core("事项:省级标准目录中的一项 | A matter of the province's catalogue", key=("code",))
class Matter(Node):
    code: str = column("事项基本编码(12位) | Basic code, 12 digits")
    name: str = column("事项名称 | Name")
    department: str | None = column("主管部门 | Department")
    task_type: TaskType | None = column("事项类型 | Type of matter")
    kind: MatterKind | None = column("办件类型 | Immediate or promised")
    served: str | None = column("服务对象,逗号分隔 | Whom it serves, separated by commas")
    version: str | None = column("标准版本 | Version of the standard")
    effective_date: date | None = column("生效日期 | Effective from")
    statutory_working_days: int | None = column(
        "法定时限(工作日) | Statutory time limit, working days", unit="working day"
    )
    promised_working_days: int | None = column(
        "承诺时限(工作日) | Promised time limit, working days", unit="working day"
    )
    application_form: str | None = column("申请表 | Application form")

    elements = to_many(
        "MatterElement", "十二类办事要素 | The twelve classes", listed=True, code="matterCode"
    )
    materials = to_many(
        "Material",
        "申请表以外的材料清单 | Materials besides the application form",
        listed=True,
        code="matterCode",
    )
    cases = to_many("Case", "该事项的办件 | Cases of the matter", code="matterCode")


@core("事项的一类要素 | One class of a matter's elements", key=("matterCode", "position"))
class MatterElement(Node):
    matter_code: str = column("事项基本编码 | Basic code of the matter")
    position: int = column("顺序 | Position")
    class_: ElementClass | None = column("要素类别 | Class", name="class")
    title: str | None = column("标题 | Title")
    text: str | None = column("内容 | Text")

    matter = to_one("Matter", "所属事项 | The matter", matter_code="code")


@core("事项要求的一份材料 | A material a matter requires", key=("matterCode", "position"))
class Material(Node):
    matter_code: str = column("事项基本编码 | Basic code of the matter")
    position: int = column("顺序 | Position")
    name: str = column("材料名称 | Name")
    required: bool | None = column("是否必需 | Whether required")
    form: RequiredForm | None = column("形式 | Form")
    medium: Medium | None = column("载体 | Medium")
    number: int | None = column("份数 | Copies", unit="copy")
    provided_by: ProvidedBy | None = column("来源 | Provided by")
    shared_by: str | None = column("共享部门 | Department that shares it")
    standard: str | None = column("受理标准 | Acceptance standard")
    legal_basis: str | None = column("依据 | Legal basis")

    matter = to_one("Matter", "所属事项 | The matter", matter_code="code")
