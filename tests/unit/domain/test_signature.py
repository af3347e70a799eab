import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.order_id import ALPHABET, OUR_RANDOM_LENGTH, OURS
from domain.rupiah import MOST_OF_ANY
from domain.signature import ServerKeys, Signer, has_second_reading
from domain.status import STATUS_CODES
from support.builders import SERVER_KEY, signed

OUR_IDS = st.text(ALPHABET, min_size=OUR_RANDOM_LENGTH, max_size=OUR_RANDOM_LENGTH).map(
    lambda text: OURS + text
)


def signer_of(
    order_id: str, code: str, amount: str, signature: str, keys: ServerKeys | None = None
) -> Signer | None:
    keys = keys or ServerKeys(current=SERVER_KEY)
    return keys.signer(order_id=order_id, status_code=code, gross_amount=amount, signature_key=signature)


# Digests of Midtrans's own published examples, by the key "SB-Mid-server-test".
@pytest.mark.parametrize(
    ("order_id", "code", "amount", "starts_with"),
    [
        ("ORDER-sandbox-0001", "200", "150000.00", "d65b4adf15335095fe1bfafe24964d48009dcc2989393e13"),
        ("ORDER-sandbox-0002", "201", "75000.00", "db70270f6c27da2b564d4fffd9df3eeae578a7afba22bf5e"),
        ("ORDER-sandbox-0003", "202", "50000.00", "a51d1bd2aa8b1dca9228f3827cd641b6dadf52ebb9ed40fb"),
        ("ORDER-sandbox-0003", "407", "50000.00", "3bf73d2d28bd2bc4e1d49d2291f0d8e5b6b14c7c44769936"),
    ],
)
def test_published_signatures_are_right(order_id: str, code: str, amount: str, starts_with: str) -> None:
    signature = signed(order_id, code, amount)

    assert signature.startswith(starts_with)
    assert len(signature) == 128
    assert signer_of(order_id, code, amount, signature) is Signer.CURRENT


@pytest.mark.parametrize(
    ("order_id", "code", "amount"),
    [
        ("order-2", "200", "10000.00"),
        ("order-1", "201", "10000.00"),
        ("order-1", "200", "10000.0"),
        ("order-1", "200", "10000"),
        ("order-1", "200", "010000.00"),
        ("Order-1", "200", "10000.00"),
    ],
)
def test_a_signature_is_over_the_strings_as_received(order_id: str, code: str, amount: str) -> None:
    assert signer_of(order_id, code, amount, signed("order-1", "200", "10000.00")) is None


RIGHT = signed("order-1", "200", "10000.00")


@pytest.mark.parametrize(
    "forged",
    [
        "",
        RIGHT[:-1],
        RIGHT + "0",
        RIGHT.upper(),
        ("1" if RIGHT[0] == "0" else "0") + RIGHT[1:],
        RIGHT[:-1] + ("1" if RIGHT[-1] == "0" else "0"),
        f" {RIGHT}",
        "\ud800" + RIGHT[1:],
        "\x00" * 128,
    ],
    ids=[
        "empty",
        "short",
        "long",
        "upper case",
        "first digit",
        "last digit",
        "space",
        "surrogate",
        "NUL",
    ],
)
def test_anything_but_the_right_signature_is_nobodys(forged: str) -> None:
    assert signer_of("order-1", "200", "10000.00", forged) is None


def test_another_servers_key_is_nobodys() -> None:
    signature = signed("order-1", "200", "10000.00", "SB-Mid-server-other")

    assert signer_of("order-1", "200", "10000.00", signature) is None


def test_the_previous_key_is_told_from_the_current_one() -> None:
    keys = ServerKeys(current="new", previous="old")

    by_old = signer_of("o", "200", "1.00", signed("o", "200", "1.00", "old"), keys)
    by_new = signer_of("o", "200", "1.00", signed("o", "200", "1.00", "new"), keys)

    assert (by_old, by_new) == (Signer.PREVIOUS, Signer.CURRENT)


@pytest.mark.parametrize("previous", [None, ""])
def test_without_a_previous_key_nothing_is_signed_with_it(previous: str | None) -> None:
    keys = ServerKeys(current="new", previous=previous)

    signature = signed("o", "200", "1.00", "")

    assert signer_of("o", "200", "1.00", signature, keys) is None


def test_odd_text_is_verified_like_any_other() -> None:
    signature = signed("☕\x00", "200", "1.00")

    assert signer_of("☕\x00", "200", "1.00", signature) is Signer.CURRENT
    assert signer_of("\ud800", "200", "1.00", signature) is None


@pytest.mark.parametrize(("verdict", "signer"), [(True, Signer.CURRENT), (False, None)])
def test_signatures_are_compared_in_constant_time_and_by_nothing_else(
    monkeypatch: pytest.MonkeyPatch, *, verdict: bool, signer: Signer | None
) -> None:
    compared = []

    def compare(expected: bytes, given: bytes) -> bool:
        compared.append((expected, given))
        return verdict

    monkeypatch.setattr(hmac, "compare_digest", compare)
    given = "0" * 128 if verdict else RIGHT

    assert signer_of("order-1", "200", "10000.00", given) is signer
    assert compared == [(RIGHT.encode(), given.encode())]


def test_keys_are_not_shown() -> None:
    shown = repr(ServerKeys(current="secret-one", previous="secret-two"))

    assert "secret" not in shown


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (("x2001", "200", "500.00"), ("x", "200", "1200500.00")),
        (("shop-1202", "200", "10000.00"), ("shop-1", "202", "20010000.00")),
        (("A", "200", "2001.00"), ("A200", "200", "1.00")),
    ],
)
def test_digits_moved_between_the_parts_carry_the_same_signature(
    mine: tuple[str, str, str], theirs: tuple[str, str, str]
) -> None:
    assert signer_of(*theirs, signed(*mine)) is Signer.CURRENT


@pytest.mark.parametrize(
    ("order_id", "code", "amount"),
    [
        # "x" + "200" + "1200500.00"
        ("x2001", "200", "500.00"),
        ("x", "200", "1200500.00"),
        # "A" + "200" + "2001.00"
        ("A200", "200", "1.00"),
        ("A", "200", "2001.00"),
        # "shop-1" + "407" + "2001000.00"
        ("shop-1407", "200", "1000.00"),
        # "7" + "202" + "2015.00"
        ("7202", "201", "5.00"),
        # the same without decimals: "x" + "200" + "1200500"
        ("x2001", "200", "500"),
    ],
)
def test_a_text_that_reads_as_another_order_has_a_second_reading(
    order_id: str, code: str, amount: str
) -> None:
    assert has_second_reading(order_id, code, amount)


@pytest.mark.parametrize(
    ("order_id", "code", "amount"),
    [
        ("order-1", "200", "10000.00"),
        ("ORDER-sandbox-0001", "200", "150000.00"),
        # No order id would be left of it.
        ("2001", "200", "500.00"),
        # 32 million rupiah are out of bounds for any payment, and so are nine digits.
        ("x2003", "200", "1234.00"),
        ("x2001", "200", "50000.00"),
        # An amount does not start with a zero.
        ("x2000", "200", "500.00"),
        # The rest is no allowed order id: it starts with a dash, or like ours without being one.
        ("-2001", "200", "500.00"),
        ("byr-2001", "200", "500.00"),
        ("webhook2001", "200", "500.00"),
        # The amount holds no code of Midtrans's.
        ("x", "200", "1300500.00"),
        ("x", "200", "203500.00"),
    ],
)
def test_most_texts_have_one_reading(order_id: str, code: str, amount: str) -> None:
    assert not has_second_reading(order_id, code, amount)


@given(OUR_IDS, st.sampled_from(sorted(STATUS_CODES)), st.integers(1, MOST_OF_ANY))
def test_an_order_id_of_our_own_making_never_has_a_second_reading(
    order_id: str, code: str, amount: int
) -> None:
    assert not has_second_reading(order_id, code, f"{amount}.00")
    assert not has_second_reading(order_id, code, str(amount))


@pytest.mark.parametrize("ending", ["2", "20", "200", "2001", "20012", "200120", "2001201", "4072012"])
def test_the_most_awkward_order_ids_of_our_own_making_have_one_reading(ending: str) -> None:
    order_id = OURS + ending.rjust(OUR_RANDOM_LENGTH, "0")

    for code in STATUS_CODES:
        for digits in range(1, 9):
            for amount in ("2" * digits, "2012014072001"[:digits], "1" + "0" * (digits - 1)):
                assert not has_second_reading(order_id, code, f"{amount}.00")


@given(
    st.text("x27014", max_size=8).map(lambda text: f"a{text}"),
    st.sampled_from(sorted(STATUS_CODES)),
    st.integers(1, 19),
    st.sampled_from(sorted(STATUS_CODES)),
    st.integers(1, 999),
)
def test_a_second_reading_is_found_from_both_sides(
    order_id: str, code: str, more: int, other_code: str, rest: int
) -> None:
    short = (order_id, code, f"{more}{other_code}{rest}.00")
    long = (f"{order_id}{code}{more}", other_code, f"{rest}.00")

    assert "".join(short) == "".join(long)
    assert has_second_reading(*short)
    assert has_second_reading(*long)
