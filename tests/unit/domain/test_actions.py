import itertools
from typing import Any

import pytest

from domain.actions import Action, offered
from support.recorded import gopay_charge, qris_charge

V1 = {"name": "generate-qr-code", "method": "GET", "url": "https://midtrans.example/v1"}
V2 = {"name": "generate-qr-code-v2", "method": "GET", "url": "https://midtrans.example/v2"}
DEEPLINK = {"name": "deeplink-redirect", "method": "GET", "url": "gojek://gopay"}
GET_STATUS = {"name": "get-status", "method": "GET", "url": "https://midtrans.example/status"}
CANCEL = {"name": "cancel", "method": "POST", "url": "https://midtrans.example/cancel"}


def test_a_gopay_charge_offers_the_framed_qr_and_the_deep_link() -> None:
    told = {action["name"]: action["url"] for action in gopay_charge()["actions"]}

    assert offered(gopay_charge()["actions"]) == (
        Action(name="qr-code", url=told["generate-qr-code-v2"]),
        Action(name="deeplink-redirect", url=told["deeplink-redirect"]),
    )


def test_a_qris_charge_offers_the_qr_alone() -> None:
    assert [action.name for action in offered(qris_charge()["actions"])] == ["qr-code"]


@pytest.mark.parametrize("order", list(itertools.permutations([V1, V2, DEEPLINK, GET_STATUS])))
def test_actions_are_chosen_by_name_and_never_by_position(order: Any) -> None:
    assert offered(order) == (
        Action(name="qr-code", url="https://midtrans.example/v2"),
        Action(name="deeplink-redirect", url="gojek://gopay"),
    )


def test_without_a_framed_qr_the_bare_one_is_offered() -> None:
    assert offered([V1, DEEPLINK])[0] == Action(name="qr-code", url="https://midtrans.example/v1")


def test_every_offered_action_is_a_get() -> None:
    assert {action.method for action in offered([V1, V2, DEEPLINK, CANCEL])} == {"GET"}


@pytest.mark.parametrize(
    "told",
    [
        [],
        [GET_STATUS, CANCEL],
        [{"name": "qr-code", "url": "https://unheard.example"}],
        [{"name": "generate-qr-code"}],
        [{"name": "generate-qr-code", "url": None}],
        [{"name": "generate-qr-code", "url": 17}],
        [{"name": "generate-qr-code", "url": ""}],
        [{"name": None, "url": "https://midtrans.example"}],
        [{"name": ["generate-qr-code"], "url": "https://midtrans.example"}],
        [None, 17, "generate-qr-code", ["generate-qr-code"]],
    ],
)
def test_what_is_unknown_unfit_or_needs_the_server_key_is_dropped(told: list[Any]) -> None:
    assert offered(told) == ()


def test_the_same_name_twice_is_offered_once() -> None:
    assert len(offered([V1, V1, DEEPLINK, DEEPLINK])) == 2
