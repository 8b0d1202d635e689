"""
The stand-in of the service platform: the exchange tables of the national platform.

It is the home of cases of departments that keep none, and has copies of most of the others.
Times come in five ways: native with and without zone, yyyymmdd, ISO text, and epoch milliseconds.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from demo.case_keeping import copy, known_to_the_platform
from demo.cases import Case, Event
from demo.identifiers import NOWHERE
from demo.province import Records
from demo.tables import Layout, Row, Table, padded_division

_CHINA: Final = ZoneInfo("Asia/Shanghai")
_STATUS: Final = {
    "DRAFT": (8, 10),
    "SUBMITTED": (12, 16, 24),
    "PRECHECK_RETURNED": (14,),
    "RECEIVED": (26,),
    "CORRECTION": (28,),
    "ACCEPTED": (30,),
    "SUSPENDED": (37,),
    "REJECTED": (40,),
    "APPROVED": (50,),
    "CLOSED": (90,),
    "NOT_ACCEPTED": (97,),
    "WITHDRAWN": (98,),
    "TERMINATED": (99,),
    "OTHER": (77,),
}
_CHANNEL: Final = {"WINDOW": "1", "ONLINE": "2", "COURIER": "3"}
_APPLICANT: Final = {"PERSON": ("1", "111"), "COMPANY": ("2", "001")}
_FORM: Final = {"ORIGINAL": "1", "COPY": "2", "ELECTRONIC": "3"}
_RESULT: Final = {
    "GRANTED": "0",
    "REFUSED": "1",
    "VOID": "2",
    "FORWARDED": "4",
    "RETURNED": "5",
    "NOT_ACCEPTED": "6",
    "OTHER": "8",
}
_PADDED_IN: Final = 20
_NAME_WIDTH: Final = 24


def _cases(records: Records) -> Iterator[Row]:
    return map(_case, map(copy, known_to_the_platform(records)))


def _case(case: Case) -> Row:
    chance = int(case.number[-6:])
    applicant, matter = case.applicant, case.matter
    applicant_type, page_type = _APPLICANT[applicant.kind]
    name = applicant.name.ljust(_NAME_WIDTH) if not chance % _PADDED_IN else applicant.name
    codes = _STATUS[case.status]
    return (
        case.number,
        matter.code,
        *_task(case),
        matter.name,
        matter.department,
        name,
        applicant_type,
        page_type,
        applicant.company_code or applicant.id_number,
        applicant.id_number,
        applicant.contact_name,
        applicant.contact_phone,
        _CHANNEL[case.channel],
        case.applied_at,
        case.accepted_at,
        case.promised_on and f"{case.promised_on:%Y%m%d}",
        case.closed_at and milliseconds(case.closed_at),
        case.organisation,
        padded_division(case.division),
        case.handler,
        "1" if matter.is_immediate else "2",
        codes[chance % len(codes)],
        "乡镇（街道）综合窗口",
        f"{case.updated_at:%Y%m%d}",
        _aware(case.updated_at),
        "U" if case.closed_at else "I",
    )


def _task(case: Case) -> tuple[str, str]:
    """Return the implementation code (31) and the handling item (33) of the acting body."""
    body = f"1132{NOWHERE}{case.division[4:6]}MB{case.division[-6:]:>07}0X"[:18]
    code = f"{body}4{case.matter.code}"
    return code, f"{code}01"


def _events(records: Records) -> Iterator[Row]:
    return chain.from_iterable(map(_events_of, known_to_the_platform(records)))


def _events_of(case: Case) -> Iterator[Row]:
    return (_event(case, event) for event in case.events)


def _event(case: Case, event: Event) -> Row:
    return (
        event.number,
        case.number,
        event.process,
        event.name,
        _aware(event.started_at).isoformat(),
        event.ended_at and event.ended_at.isoformat(" "),
        event.handler,
        event.note,
    )


def _materials(records: Records) -> Iterator[Row]:
    for case in known_to_the_platform(records):
        for material in case.materials:
            form = _FORM[material.form]
            name = material.name
            yield material.number, case.number, name, form, material.quantity, f"{name}.pdf"


def _results(records: Records) -> Iterator[Row]:
    for case in known_to_the_platform(records):
        for result in case.results:
            yield (
                result.number,
                case.number,
                _RESULT[result.kind],
                result.decided_on,
                result.explanation,
                result.certificate_name,
                result.certificate_number,
                result.satisfaction,
            )


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=_CHINA)


def milliseconds(moment: datetime) -> int:
    """Return a moment in China as milliseconds since 1970."""
    return int(_aware(moment).timestamp() * 1000)


LAYOUT: Final = Layout(
    tables=(
        Table(
            "up_pro_accept",
            (
                *("project_no varchar(24)", "catalog_code varchar(12)", "task_code varchar(31)"),
                *(
                    "task_handle_item varchar(33)",
                    "task_name varchar(100)",
                    "dept_name varchar(20)",
                ),
                *("applyer_name varchar(100)", "applyer_type varchar(1)"),
                *("applyer_page_type varchar(3)", "applyer_page_code varchar(18)"),
                *("applyer_idcard varchar(18)", "contact_name varchar(60)"),
                *("contact_mobile varchar(20)", "apply_type varchar(1)", "apply_date timestamp"),
                *("accept_date timestamp", "promise_date varchar(8)", "finish_time bigint"),
                *("org_name varchar(100)", "area_code varchar(12)", "handle_user_name varchar(60)"),
                *("project_type varchar(1)", "handle_status integer", "data_source varchar(40)"),
                *("cd_batch varchar(20)", "cd_time timestamptz", "cd_operation varchar(1)"),
            ),
            _cases,
        ),
        Table(
            "up_pro_process",
            (
                *("process_id varchar(30)", "project_no varchar(24)", "process_name varchar(20)"),
                *("event_name varchar(20)", "event_start_time varchar(32)"),
                *("event_end_time varchar(20)", "handle_user_name varchar(60)"),
                "handle_explain varchar(200)",
            ),
            _events,
        ),
        Table(
            "up_pro_material",
            (
                *("material_id varchar(30)", "project_no varchar(24)"),
                *("material_name varchar(100)", "get_type varchar(1)", "get_num integer"),
                "material_attach_name varchar(120)",
            ),
            _materials,
        ),
        Table(
            "up_pro_result",
            (
                *("result_id varchar(30)", "project_no varchar(24)", "result_type varchar(1)"),
                *("result_date date", "result_explain varchar(200)"),
                *("result_cetr_name varchar(100)", "result_cetr_no varchar(40)"),
                "satisfaction integer",
            ),
            _results,
        ),
    ),
    afterwards=(
        "ALTER TABLE up_pro_accept ADD PRIMARY KEY (project_no)",
        "CREATE INDEX up_pro_accept_area ON up_pro_accept (area_code, project_no)",
        "CREATE INDEX up_pro_accept_idcard ON up_pro_accept (applyer_idcard, project_no)",
        "CREATE INDEX up_pro_accept_catalog ON up_pro_accept (catalog_code, project_no)",
        "CREATE INDEX up_pro_accept_status ON up_pro_accept (handle_status, project_no)",
        "CREATE INDEX up_pro_accept_apply ON up_pro_accept (apply_date, project_no)",
        "CREATE INDEX up_pro_accept_accept ON up_pro_accept (accept_date, project_no)",
        "ALTER TABLE up_pro_process ADD PRIMARY KEY (process_id)",
        "CREATE INDEX up_pro_process_project ON up_pro_process (project_no, process_id)",
        "ALTER TABLE up_pro_material ADD PRIMARY KEY (material_id)",
        "CREATE INDEX up_pro_material_project ON up_pro_material (project_no, material_id)",
        "ALTER TABLE up_pro_result ADD PRIMARY KEY (result_id)",
        "CREATE INDEX up_pro_result_project ON up_pro_result (project_no, result_id)",
    ),
)
