"""The style, the script and the icon: cached for as long as they are the same, and nothing but ours."""

import re

import pytest

from entrypoints.http.pages.assets import _FILES, asset
from unit.entrypoints.harness import Service


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("checkout.css", "text/css; charset=utf-8"),
        ("checkout.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_a_file_is_kept_for_ever_under_the_address_of_its_content(
    service: Service, name: str, media: str
) -> None:
    answer = await service.client.get(f"/checkout/{asset(name)}")

    assert (answer.status_code, answer.content) == (200, _FILES[name])
    assert answer.headers["content-type"] == media
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef", "?v=%00", "?v=1&v=2"])
async def test_another_release_s_address_has_the_file_as_it_is_now_and_only_for_now(
    service: Service, query: str
) -> None:
    answer = await service.client.get(f"/checkout/assets/checkout.css{query}")

    assert (answer.status_code, answer.content) == (200, _FILES["checkout.css"])
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "nothing.css",
        "checkout.html",
        "..%2ftemplates%2fcheckout.html",
        "%2e%2e",
        "checkout.css%00",
        "assets.py",
    ],
)
async def test_nothing_else_is_served(service: Service, name: str) -> None:
    answer = await service.client.get(f"/checkout/assets/{name}")

    assert answer.status_code == 404
    assert "{%" not in answer.text


@pytest.mark.parametrize("name", sorted(_FILES))
def test_no_file_asks_for_anything_elsewhere(name: str) -> None:
    text = _FILES[name].decode()

    addresses = re.findall(r"(?:https?:)?//[a-z][^\s\"'`]*", text)
    assert [found for found in addresses if found != "http://www.w3.org/2000/svg"] == []
    assert not re.search(r"@import|url\(|eval|innerHTML|document\.write", text)
