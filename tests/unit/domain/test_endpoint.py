import base64

import pytest
from standardwebhooks import Webhook

from domain.endpoint import SECRET_BYTES, is_secret, secret_of
from support.merchant import OTHER_SECRET, SECRET, an_endpoint


def a_secret(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(range(size))).decode()


def test_a_made_secret_is_one_that_the_library_signs_with() -> None:
    secret = secret_of(bytes(range(SECRET_BYTES)))

    assert secret == a_secret(32)
    assert is_secret(secret)
    assert Webhook(secret)._whsecret == bytes(range(32))


@pytest.mark.parametrize("size", [24, 32, 63, 64])
def test_a_secret_of_24_to_64_bytes_is_one(size: int) -> None:
    assert is_secret(a_secret(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        a_secret(23),
        a_secret(65),
        a_secret(32).removeprefix("whsec_"),
        a_secret(32).replace("whsec_", "whpk_"),
        "whsec_" + "!" * 44,
        "whsec_" + "-_" * 22,
        a_secret(32) + "\n",
        "whsec_é" + "A" * 43,
        "whsec_" + "A" * 33,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_secret(text)


def test_neither_the_secrets_nor_the_address_are_in_the_text_of_an_endpoint() -> None:
    endpoint = an_endpoint(url="https://shop.example/?token=hunter2", previous_secret=OTHER_SECRET)

    assert SECRET not in repr(endpoint)
    assert OTHER_SECRET not in repr(endpoint)
    assert "hunter2" not in repr(endpoint)
