"""
What looks as if it were about a person, by its name, its comment or its values.

It errs to one side on purpose: what is called personal here, somebody may open later.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from onboarding.drafts.model import Native
from onboarding.drafts.names import identifying, words

_WORDS: Final = frozenset(
    words(
        """name names fname lname person people contact phone tel telephone mobile fax email mail
        addr address street zip post birth birthday born dob age sex gender nation ethnic
        ethnicity religion marital spouse husband wife father mother child guardian heir owner
        holder applicant applyer certno cert card idcard passport licence license account bank
        iban password passwd pwd secret token photo picture portrait signature disease diagnosis
        illness drug disability income salary wage debt crime ip lat lng lon location xm xb mz
        csrq nl sfz sfzh sfzhm sfzjhm gmsfhm zjhm lxr lxdh dhhm sjh sjhm dzyx dz zz xzz jzdz
        hjdz jtzz hyzk jhr yhzh yhkh zhm qq wechat wx"""
    )
)
_PARTS: Final = (
    *("name", "phone", "mobile", "email", "address", "postal", "birth", "idcard", "passport"),
    *("account", "password", "certno", "disease", "diagnos", "disab", "income", "salary", "credit"),
)
_HAN: Final = (
    *(
        "姓名",
        "名称",
        "身份",
        "证件",
        "证号",
        "电话",
        "手机",
        "传真",
        "邮箱",
        "地址",
        "住址",
        "出生",
    ),
    *(
        "年龄",
        "性别",
        "民族",
        "婚姻",
        "配偶",
        "银行",
        "账号",
        "账户",
        "卡号",
        "密码",
        "联系",
        "监护",
    ),
    *("病", "残疾", "药", "收入", "工资", "法人", "持有", "申请人", "负责人", "本人", "家庭"),
)
_PLACES: Final = frozenset(words("city country region state province county town village"))
_FREE: Final = frozenset(
    words("note notes remark remarks memo comment comments text content message opinion reason bz")
)
_FREE_HAN: Final = ("备注", "说明", "意见", "原因", "内容", "情况")
_LONG: Final = 40
_SHORT: Final = 3
_SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁"
    "任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔"
    "向汤华尤施殷倪奚缪"
)
_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "telephone numbers": re.compile(r"1[3-9][0-9]{9}|[+(]?[0-9]+[ ()-][0-9 ()-]{5,18}"),
    "addresses of e-mail": re.compile(r"\S+@\S+\.\S+"),
    "numbers of cards": re.compile(r"[0-9]{15,19}[Xx]?"),
    "names": re.compile(
        f"[{''.join(sorted(_SURNAMES))}][\u4e00-\u9fff·]{{1,3}}|[A-Z][a-z]+( [A-Z][a-z'.-]*){{1,3}}"
    ),
}


def holds_addresses(natives: Iterable[Native]) -> bool:
    """Return whether cities and states beside these columns are parts of an address."""
    return any(
        part in "".join(words(native.name)) for native in natives for part in ("address", "postal")
    )


def why_personal(native: Native, *, beside_address: bool) -> str:
    """Return why it looks personal or like free text; empty where it does not."""
    reasons: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("personal, by its name", lambda: bool(identifying(native.name))),
        ("personal, by its name", lambda: _is_named(native, _WORDS, _PARTS, _HAN)),
        ("part of an address, by its name", lambda: beside_address and _is_named(native, _PLACES)),
        ("free text, in which anything may stand", lambda: _is_free(native)),
    )
    named = next((reason for reason, applies in reasons if applies()), "")
    return named or _by_values(native.values)


def _is_named(
    native: Native,
    whole: frozenset[str],
    parts: Collection[str] = (),
    han: Collection[str] = (),
) -> bool:
    named = words(native.name)
    flat = "".join(named)
    return (
        not whole.isdisjoint(named)
        or any(part in flat for part in parts)
        or any(flat.endswith(word) for word in whole if len(word) > _SHORT)
        or any(part in native.name + native.comment for part in han)
    )


def _is_free(native: Native) -> bool:
    if native.type != "string":
        return False
    longest = max((len(value) for value in native.values if isinstance(value, str)), default=0)
    return longest > _LONG or _is_named(native, _FREE, (), _FREE_HAN)


def _by_values(values: Iterable[object]) -> str:
    texts = [value.strip() for value in values if isinstance(value, str)]
    for what, shape in _SHAPES.items():
        if texts and sum(map(bool, map(shape.fullmatch, texts))) * 2 > len(texts):
            return f"its values look like {what}"
    return ""
