"""The page that a customer sees: each state in both languages, and nothing in it that is not meant."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from domain.status import Status
from entrypoints.http.pages.language import Language
from entrypoints.http.pages.words import WORDS, State
from support import recorded
from support.builders import NOW
from unit.entrypoints.harness import Logs, Service, a_service

TOKEN = "t" * 32
PAGE = f"/checkout/{TOKEN}"
VOID = {"meta", "link", "img", "path"}
EVIL = '<i onclick="alert(1)">&amp;\'`{{7*7}}{%x%}`"'
POLICY = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
]
DEEPLINK = "gojek://gopay/merchanttransfer?tref=1&amount=10000&activity=GP:RR"
PICTURE = f"{recorded.API}//v4/qris/gopay/A120260206100000ID/qr-code"


class Read(HTMLParser):
    """The elements of a page with their attributes, each closed in order, and the text that a person sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{' '.join(data.split())} "

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def links(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a")]

    def with_id(self, name: str) -> dict[str, str]:
        (found,) = [attributes for _, attributes in self.elements if attributes.get("id") == name]
        return found


async def open_page(service: Service, *, language: str = "id") -> httpx.Response:
    return await service.client.get(PAGE, headers={"Accept-Language": language})


async def page_of(service: Service, *, language: str = "id", **given: Any) -> Read:
    """The page of a payment that was charged for a GoPay QR, unless told otherwise."""
    await service.given(
        **{"checkout_token": TOKEN, "charge_answer": json.dumps(recorded.gopay_charge())} | given
    )
    answer = await open_page(service, language=language)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


STATES: dict[State, dict[str, Any]] = {
    State.STARTING: {"status": Status.CREATED, "charge_answer": None},
    State.WAITING: {},
    State.OVERDUE: {"expires_at": NOW - timedelta(seconds=1)},
    State.UNPAYABLE: {"charge_answer": json.dumps({"actions": []})},
    State.PAID: {"status": Status.SETTLEMENT, "paid_at": NOW},
    State.LATE: {"status": Status.SETTLEMENT, "paid_at": NOW, "late": True},
    State.EXPIRED: {"status": Status.EXPIRE},
    State.CANCELLED: {"status": Status.CANCEL},
    State.DENIED: {"status": Status.DENY},
    State.FAILED: {"status": Status.FAILURE, "charge_answer": None},
    State.PARTLY_REFUNDED: {"status": Status.PARTIAL_REFUND, "refunded_amount": 4_000, "paid_at": NOW},
    State.REFUNDED: {"status": Status.REFUND, "refunded_amount": 10_000, "paid_at": NOW},
    State.PARTLY_CHARGED_BACK: {"status": Status.PARTIAL_CHARGEBACK, "paid_at": NOW},
    State.CHARGED_BACK: {"status": Status.CHARGEBACK, "paid_at": NOW},
}


def test_every_state_is_looked_at() -> None:
    assert set(STATES) == set(State)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("state", list(State))
async def test_each_state_is_told_in_each_language(
    service: Service, state: State, language: Language
) -> None:
    page = await page_of(service, language=language, **STATES[state])

    title, sentence = WORDS[language].states[state]
    told = sentence.format(merchant="Bayar", amount="Rp10.000", refunded="Rp4.000")
    assert title in page.text
    assert told in page.text
    assert page.all("html") == [{"lang": language}]
    assert page.with_id("payment")["data-state"] == page.with_id("status")["class"] == state
    assert page.with_id("status")["role"] == "status"
    assert "Rp10.000" in page.text
    assert "order-1" in page.text
    assert "{" not in page.text


@pytest.mark.parametrize("state", list(State))
async def test_it_may_be_paid_only_while_it_waits(service: Service, state: State) -> None:
    page = await page_of(service, **STATES[state])

    assert bool(page.all("img")) is (state is State.WAITING)
    assert (DEEPLINK in page.links()) is (state is State.WAITING)


@pytest.mark.parametrize("state", list(State))
async def test_it_follows_and_can_be_refreshed_only_while_it_is_open(service: Service, state: State) -> None:
    page = await page_of(service, **STATES[state])

    is_open = state in {State.STARTING, State.WAITING, State.OVERDUE, State.UNPAYABLE}
    assert page.with_id("payment")["data-open"] == ("yes" if is_open else "no")
    assert (TOKEN in page.links()) is is_open


async def test_a_qr_is_drawn_into_the_page_where_its_text_is_known(service: Service) -> None:
    charged = {"payment_type": "qris", "charge_answer": json.dumps(recorded.qris_charge())}

    page = await page_of(service, language="en", **charged)

    assert page.all("img") == []
    assert len(page.all("svg")) == 1
    (frame,) = [attributes for _, attributes in page.elements if attributes.get("role") == "img"]
    assert frame["aria-label"] == "QR code to pay Rp10.000 to Bayar"
    assert (await open_page(service)).headers["content-security-policy"].split("; ") == POLICY


async def test_midtrans_s_picture_is_shown_where_no_text_is_known(service: Service) -> None:
    page = await page_of(service, language="en")

    (picture,) = page.all("img")
    assert (picture["src"], picture["alt"]) == (PICTURE, "QR code to pay Rp10.000 to Bayar")
    assert picture["referrerpolicy"] == "no-referrer"
    policy = (await open_page(service)).headers["content-security-policy"].split("; ")
    assert policy == [p.replace("'self'", f"'self' {recorded.API}") if p[:3] == "img" else p for p in POLICY]


@pytest.mark.parametrize(
    "picture",
    [
        "https://evil.example/qr",
        "https://api.midtrans.com@evil.example/qr",
        "https://a;script-src.midtrans.com/qr",
        "https://a,b.midtrans.com/qr",
        "https://*.midtrans.com/qr",
        "https://'unsafe-inline'.midtrans.com/qr",
        "https://api.midtrans.com:99999/qr",
        "javascript:alert(1)//midtrans.com",
        'https://api.midtrans.com/"onerror="alert(1)',
    ],
)
async def test_no_picture_from_anywhere_else_and_none_that_widens_the_policy(
    service: Service, picture: str
) -> None:
    actions = [{"name": "generate-qr-code", "method": "GET", "url": picture}]
    page = await page_of(service, charge_answer=json.dumps(recorded.gopay_charge(actions=actions)))

    policy = (await open_page(service)).headers["content-security-policy"].split("; ")
    if picture.startswith("https://api.midtrans.com/"):
        assert page.all("img")[0].keys() == {"class", "src", "alt", "referrerpolicy"}
    else:
        assert page.all("img") == []
        assert policy == POLICY
    assert len(policy) == len(POLICY)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        " javascript:alert(1)",
        "vbscript:x",
        "",
    ],
)
async def test_a_deep_link_that_would_run_something_is_not_shown(service: Service, link: str) -> None:
    actions = [*recorded.gopay_charge()["actions"][:2], {"name": "deeplink-redirect", "url": link}]

    page = await page_of(service, charge_answer=json.dumps(recorded.gopay_charge(actions=actions)))

    assert page.links() == [TOKEN]
    assert "javascript:" not in (await open_page(service)).text.lower()


@pytest.mark.parametrize("url", ["https://shop.example/thanks?a=1&b=2#c", "myshop://orders/17"])
@pytest.mark.parametrize("state", [State.WAITING, State.PAID, State.EXPIRED])
async def test_the_way_back_to_the_shop_is_a_link_and_nothing_more(
    service: Service, state: State, url: str
) -> None:
    page = await page_of(service, callback_url=url, language="en", **STATES[state])

    assert url in page.links()
    assert "Back to the shop" in page.text
    (link,) = [attributes for attributes in page.all("a") if attributes["href"] == url]
    assert link["rel"] == "noopener noreferrer"
    assert "target" not in link
    assert [meta for meta in page.all("meta") if "http-equiv" in meta] == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "java\nscript:alert(1)", "//x", ""]
)
async def test_a_way_back_that_an_earlier_release_let_in_is_checked_again(service: Service, url: str) -> None:
    page = await page_of(service, callback_url=url)

    assert page.links() == [DEEPLINK, TOKEN]


async def test_whatever_comes_from_outside_is_text() -> None:
    service = a_service(BAYAR_MERCHANT_NAME=EVIL)

    page = await page_of(
        service,
        order_id="order-1",
        callback_url='https://shop.example/"><script>alert(1)</script>',
        metadata={"text": EVIL},
        status=Status.SETTLEMENT,
    )

    assert "i" not in {tag for tag, _ in page.elements}
    assert not {name for _, attributes in page.elements for name in attributes if name.startswith("on")}
    assert len(page.all("script")) == 1
    assert EVIL in page.text
    assert "49" not in page.text


async def test_an_order_id_of_any_letters_stays_within_its_place(service: Service) -> None:
    order_id = 'x"/../?&#<é'

    page = await page_of(service, order_id=order_id, status=Status.PENDING)

    assert order_id in page.text
    stream = page.with_id("payment")["data-stream"]
    assert stream == f"../api/payments/x%22%2F..%2F%3F%26%23%3C%C3%A9/stream?token={TOKEN}"


async def test_its_headers_let_nobody_keep_it_frame_it_or_learn_its_address(service: Service) -> None:
    await page_of(service)

    headers = (await open_page(service)).headers

    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert headers["vary"] == "Accept-Language"
    assert headers["x-robots-tag"] == "noindex"
    assert headers["x-content-type-options"] == "nosniff"


async def test_it_runs_and_loads_our_own_files_only(service: Service) -> None:
    page = await page_of(service, payment_type="qris", charge_answer=json.dumps(recorded.qris_charge()))

    loaded = [a["src"] for a in page.all("script")] + [a["href"] for a in page.all("link")]
    assert all(re.fullmatch(r"assets/(checkout\.(css|js)|icon\.svg)\?v=[0-9a-f]{16}", url) for url in loaded)
    assert len(loaded) == 3
    assert not [a for _, a in page.elements if "style" in a]
    assert not page.all("style") + page.all("iframe") + page.all("form")


async def test_the_countdown_knows_the_server_s_time_and_the_end(service: Service) -> None:
    service.clock.advance(60)

    page = await page_of(service)

    data = page.with_id("payment")
    assert int(data["data-now"]) == int(NOW.timestamp() * 1000) + 60_000
    assert int(data["data-expires"]) == int(NOW.timestamp() * 1000) + 900_000
    assert data["data-version"] == "1"
    assert "6 Feb 2026, 10.15 WIB" in page.text


async def test_how_much_went_back_may_not_be_known_yet(service: Service) -> None:
    page = await page_of(service, language="en", status=Status.PARTIAL_REFUND, refunded_amount=0)

    assert "Some of the Rp10.000 that you paid went back to you." in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/checkout/x",
        f"/checkout/{'u' * 32}",
        f"/checkout/{TOKEN}/",
        f"//checkout//{TOKEN}",
        f"/checkout/{TOKEN}%20",
        f"/checkout/{TOKEN}%00",
        "/checkout/%ed%a0%80",
        "/checkout/..%2f..%2fetc%2fpasswd",
        f"/checkout/{TOKEN}%0d%0aSet-Cookie:%20a=b",
        "/checkout/<script>alert(1)</script>",
        f"/checkout/{'t' * 10_000}",
    ],
)
@pytest.mark.parametrize(
    ("language", "title"), [("id", "Halaman ini tidak ada"), ("en", "There is no such page")]
)
async def test_an_address_that_opens_nothing_has_a_plain_page_too(
    service: Service, path: str, language: str, title: str
) -> None:
    await page_of(service)

    answer = await service.client.get(path, headers={"Accept-Language": language})

    if answer.headers["content-type"] == "application/problem+json":
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        return
    page = Read(answer.text)
    assert answer.status_code == 404
    assert title in page.text
    assert page.all("html") == [{"lang": language}]
    assert answer.headers["content-security-policy"].split("; ") == POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Accept-Language"
    assert "set-cookie" not in answer.headers
    assert not page.all("script")


async def test_the_plain_page_finds_its_style_from_wherever_it_is_shown(service: Service) -> None:
    answer = await service.client.get("/checkout/assets/nothing")

    styles = [a["href"] for a in Read(answer.text).all("link") if a["rel"] == "stylesheet"]
    assert styles[0].startswith("../assets/checkout.css?v=")


async def test_a_fault_of_our_own_is_a_plain_page_that_tells_nothing_of_itself(
    service: Service, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr("entrypoints.http.pages.checkout.checkout_view", broken)
    await service.given(checkout_token=TOKEN)

    answer = await open_page(service, language="en")

    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "secret" not in answer.text
    assert len(logs.of("request.failed")) == 1
    assert TOKEN not in logs.text
