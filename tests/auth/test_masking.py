import pytest

from auth.masking import MASKS
from auth.policy import masked


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        ("citizen_number", "329900195304129028", "329***********9028"),
        ("citizen_number", "320405530412902", "320********2902"),
        ("mobile", "12900000001", "129****0001"),
        ("mobile", "110", "***"),
        ("mobile", "95598123", "********"),
        ("mobile", "1290000001", "**********"),
        ("mobile", "", ""),
        ("name", "张三", "张*"),
        ("name", "张", "张*"),
        ("name", "欧阳修文", "欧阳**"),
        ("name", "欧阳", "欧*"),
        ("name", "𠮷三四", "𠮷**"),
        ("bank_card", "0000123412341234", "************1234"),
        ("bank_card", "0001234", "*******"),
        ("bank_card", "00001234", "****1234"),
        ("everything", "anything", "***"),
        ("everything", "", ""),
    ],
)
def test_a_mask_leaves_what_it_says(mask: str, value: str, shown: str) -> None:
    assert MASKS[mask](value) == shown


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("value", [None, 12, 1.5])
def test_what_is_no_text_is_hidden_whole(mask: str, value: object) -> None:
    assert masked(mask, value) is None
