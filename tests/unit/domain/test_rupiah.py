import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rupiah import MOST, MOST_OF_ANY, PaymentType, parse_gross_amount


@pytest.mark.parametrize(
    ("text", "rupiah"),
    [
        ("10000.00", 10_000),
        ("10000", 10_000),
        ("10000.0", 10_000),
        ("1.00", 1),
        ("0.00", 0),
        ("20000000.00", 20_000_000),
        ("999999999999.00", 999_999_999_999),
    ],
)
def test_midtranss_amounts_are_whole_rupiah(text: str, rupiah: int) -> None:
    assert parse_gross_amount(text) == rupiah


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 10000.00",
        "10000.00 ",
        "10000.00\n",
        "10000.",
        ".00",
        "10000.50",
        "10000.000",
        "10000.01",
        "10,000.00",
        "10.000",
        "010000.00",
        "-10000.00",
        "+10000.00",
        "1e4",
        "0x10",
        "NaN",
        "Infinity",
        "\uff11\uff10.00",
        "1_000",
        "9" * 13,
        "1" * 5_000,
    ],
)
def test_everything_else_is_no_amount(text: str) -> None:
    assert parse_gross_amount(text) is None


@given(st.integers(0, MOST_OF_ANY))
def test_every_amount_is_read_back(rupiah: int) -> None:
    assert parse_gross_amount(f"{rupiah}.00") == rupiah


def test_the_bounds_are_midtranss() -> None:
    assert MOST == {PaymentType.GOPAY: 20_000_000, PaymentType.QRIS: 10_000_000}
    assert MOST_OF_ANY == 20_000_000
