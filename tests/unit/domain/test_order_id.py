import pytest

from adapters.system.identifiers import SystemIdentifiers
from domain.order_id import ALPHABET, OUR_RANDOM_LENGTH, OURS, may_be_chosen, may_exist
from domain.ports.identifiers import Identifiers
from support.fakes import CountingIdentifiers

A_GENERATED_ID = OURS + ALPHABET[0] * OUR_RANDOM_LENGTH


@pytest.mark.parametrize(
    "order_id",
    ["a", "7", "order-1", "A~b_c.d-e", "x" * 50, "byr", "byr_1", "Byr-1", "web", "gopay-1", "web.hook"],
)
def test_a_shop_may_choose(order_id: str) -> None:
    assert may_be_chosen(order_id)
    assert may_exist(order_id)


@pytest.mark.parametrize(
    "order_id",
    [
        "",
        "-order",
        "_order",
        ".",
        "..",
        "~a",
        "x" * 51,
        "a b",
        "a/b",
        "a#b",
        "a?b",
        "a%20",
        "café",
        "order\n",
        "a\x00",
        "\uff11\uff12",
        "byr-",
        "byr-mine",
        "webhook",
        "webhook-1",
        "gopayqris",
        "gopayqris-1",
    ],
)
def test_a_shop_may_not_choose(order_id: str) -> None:
    assert not may_be_chosen(order_id)
    assert not may_exist(order_id)


def test_a_generated_id_exists_but_cannot_be_chosen() -> None:
    assert may_exist(A_GENERATED_ID)
    assert not may_be_chosen(A_GENERATED_ID)


@pytest.mark.parametrize(
    "order_id",
    [A_GENERATED_ID[:-1], A_GENERATED_ID + "0", OURS + "A" * OUR_RANDOM_LENGTH, A_GENERATED_ID[:-1] + "o"],
)
def test_nothing_that_only_resembles_a_generated_id_exists(order_id: str) -> None:
    assert not may_exist(order_id)


@pytest.mark.parametrize("identifiers", [SystemIdentifiers(), CountingIdentifiers()])
def test_the_ids_that_we_make_have_the_form_of_ours(identifiers: Identifiers) -> None:
    made = [identifiers.order_id() for _ in range(100)]

    assert all(may_exist(order_id) for order_id in made)
    assert len(set(made)) == 100
