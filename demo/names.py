"""Names of people and companies: frequent ones put together by chance, and a few odd ones."""

from random import Random
from typing import Final

_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史"
    "顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文钮华尤浦糜恽承"
)
_COMPOUND: Final = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "夏侯")
_OLD_FEMALE: Final = "秀兰英珍桂凤玉梅香芳琴妹娣宝云素巧月红菊"
_OLD_MALE: Final = "国建华德根福林生明荣金宝龙兴忠庆祥元坤泉"
_YOUNG_FEMALE: Final = "婷雨欣怡诗涵梓萱语晨佳悦思琪梦瑶可雅静雪晴"
_YOUNG_MALE: Final = "浩宇轩子涵俊杰博文天佑泽睿宸铭皓晨嘉豪伟强"
_ODD: Final = (
    "𠮷田𬱖",
    "王𣲗",
    "㛃玥",
    "阿依古丽·买买提",
    "迪丽努尔·阿不都热合曼",
    "尼玛·次仁",
    "巴特尔•苏和",
    "<script>alert(1)</script>",
    "O'Neil 王",
    '张"三"',
    "李%_明",
    "王\u3000芳",
    "=SUM(A1:A9)",
    "周\\n吴",
    "Ａｌｅｘ",
    "欧阳上官婉",
)
_ODD_IN: Final = 1_200
_COMPOUND_IN: Final = 250
_GENERATION: Final = 1985

_TRADES: Final = (
    *("精密机械", "纺织", "电子科技", "新能源", "物流", "食品", "建材", "环保科技", "汽车部件"),
    *("农业发展", "餐饮管理", "商贸", "信息技术", "生物医药", "装饰工程", "塑料制品"),
)
_SHOPS: Final = ("面馆", "小吃店", "超市", "理发店", "五金店", "服装店", "水果店", "早餐店")
_COMPANY_WORDS: Final = "恒瑞鑫盛达远宏泰华兴隆昌永顺源丰润天海"
COMPANY_KINDS: Final = {
    "有限责任公司": "有限公司",
    "股份有限公司": "股份有限公司",
    "个人独资企业": "厂",
    "农民专业合作社": "专业合作社",
}


def surname(random: Random) -> str:
    """Return a family's name."""
    if not random.randrange(_COMPOUND_IN):
        return random.choice(_COMPOUND)
    # The square makes the first of the list the frequent ones.
    return _SURNAMES[int(random.random() ** 2 * len(_SURNAMES))]


def full_name(random: Random, family: str, birth_year: int, *, female: bool) -> str:
    """Return a person's name; one in 1,200 is odd."""
    if not random.randrange(_ODD_IN):
        return random.choice(_ODD)
    if birth_year < _GENERATION:
        characters = _OLD_FEMALE if female else _OLD_MALE
    else:
        characters = _YOUNG_FEMALE if female else _YOUNG_MALE
    given = random.choice(characters)
    return family + given + (random.choice(characters) if random.random() < 0.8 else "")


def company_name(random: Random, place: str, kind: str) -> str:
    """Return a company's name, which begins with where it is."""
    word = random.choice(_COMPANY_WORDS) + random.choice(_COMPANY_WORDS)
    return f"{place}{word}{random.choice(_TRADES)}{COMPANY_KINDS[kind]}"


def shop_name(random: Random, place: str) -> str:
    """Return the name of a shop, which has its owner's family name."""
    return f"{place}{surname(random)}记{random.choice(_SHOPS)}"
