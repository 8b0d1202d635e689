"""What the graph tells about itself: the caller, the departments' systems, the code sets."""

import strawberry

from schema.scalars import DivisionCode


@strawberry.type(description="在某区划担任的一个岗位 | A role held in a division")
class RoleHeld:
    role: str = strawberry.field(description="岗位代码 | Role")
    title: str = strawberry.field(description="岗位名称 | What the role is called")
    scope: DivisionCode = strawberry.field(description="管辖区划 | Division it is held in")


@strawberry.type(description="当前登录账号 | The account that asks")
class Me:
    account: str = strawberry.field(description="账号 | Account")
    roles: list[RoleHeld] = strawberry.field(description="岗位 | Roles")
    department: str | None = strawberry.field(description="所属部门 | Department")


@strawberry.type(description="一个代码 | A code")
class CodeValue:
    code: str = strawberry.field(description="代码 | Code")
    label: str = strawberry.field(description="名称 | What people call it")


@strawberry.type(description="代码集 | A set of codes")
class CodeSet:
    name: str = strawberry.field(description="代码集名称 | Name")
    label: str = strawberry.field(description="说明 | What it is")
    values: list[CodeValue] = strawberry.field(description="代码 | Codes")
