"""The checkout page in a browser, over a whole demo: what its customer sees, and when."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, Route, expect

from support.demo import DemoDesk
from support.service import eventually

DESKTOP: Final[dict[str, Any]] = {"viewport": {"width": 1100, "height": 900}, "locale": "en-GB"}
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "id-ID",
}
SOON: Final = 10_000
PAID: Final = "#status.paid"


@asynccontextmanager
async def looking(browser: Browser, url: str, **given: Any) -> AsyncIterator[Page]:
    """The page at an address; whatever it complains of fails the test."""
    async with await browser.new_context(**DESKTOP | given) as context:
        page = await context.new_page()
        complaints: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            # A browser says of its own which requests failed.
            if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
                complaints.append(message.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(url)
        yield page
        assert complaints == []


async def has_turned_to_paid(page: Page, *, within: int = SOON) -> None:
    await page.wait_for_selector(PAID, timeout=within)


async def test_a_desktop_customer_scans_and_the_page_turns_to_paid_by_itself(
    browser: Browser, desk: DemoDesk
) -> None:
    payment = await desk.created(callback_url="https://shop.example/thanks")
    async with looking(browser, payment["checkout_url"]) as page:
        await expect(page.get_by_role("heading", level=1)).to_have_text("Warung Bayar")
        await expect(page.locator(".amount")).to_have_text("Rp25.000")
        await expect(page.get_by_role("status")).to_contain_text("Waiting for your payment")
        picture = page.get_by_role("img", name="QR code to pay Rp25.000 to Warung Bayar")
        assert await picture.evaluate("image => image.complete && image.naturalWidth > 0")
        box = await picture.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 250
        assert box["y"] + box["height"] < 900

        wallet = await page.context.new_page()
        link = await page.get_by_role("link", name="Pay with GoPay").get_attribute("href")
        assert link is not None
        await wallet.goto(link)
        await wallet.get_by_role("button", name="Pay", exact=True).click()
        await eventually(lambda: desk.is_settled(payment))
        settled_at = time.monotonic()
        await has_turned_to_paid(page)

        assert time.monotonic() - settled_at < 2
        assert await page.title() == "Payment successful · Warung Bayar"
        await expect(page.get_by_role("status")).to_contain_text(
            "Warung Bayar has received Rp25.000 from you."
        )
        back = page.get_by_role("link", name="Back to the shop")
        assert await back.get_attribute("href") == "https://shop.example/thanks"
        assert await page.locator("img").count() == 0


async def test_a_phone_customer_is_led_into_the_app_and_finds_it_paid_on_coming_back(
    browser: Browser, desk: DemoDesk
) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"], **PHONE) as page:
        button = page.get_by_role("link", name="Bayar dengan GoPay")
        top, code = await button.bounding_box(), await page.locator(".code").bounding_box()
        assert top is not None
        assert code is not None
        assert top["y"] + top["height"] < min(code["y"], 844)
        assert top["height"] >= 44
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390

        await button.tap()
        await page.get_by_role("button", name="Pay", exact=True).tap()
        await expect(page.get_by_role("status")).to_contain_text("Paid")
        while "/checkout/" not in page.url:
            await page.go_back()

        await has_turned_to_paid(page)
        await expect(page.get_by_role("status")).to_contain_text("Pembayaran berhasil")


async def test_on_a_desktop_the_code_comes_before_the_app(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"]) as page:
        app, code = await page.locator(".app").bounding_box(), await page.locator(".code").bounding_box()

    assert app is not None
    assert code is not None
    assert code["y"] < app["y"]


async def test_a_payment_that_expires_says_so_by_itself(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created(payment_type="qris")
    async with looking(browser, payment["checkout_url"]) as page:
        await expect(page.get_by_role("img")).to_be_visible()
        await desk.let(payment, "expire")

        await page.wait_for_selector("#status.expired", timeout=SOON)

        await expect(page.get_by_role("status")).to_contain_text("No payment arrived in time.")
        await expect(page.get_by_role("timer")).to_have_count(0)
        await expect(page.get_by_role("img")).to_have_count(0)


async def test_a_payment_that_the_shop_cancels_says_so_by_itself(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"]) as page:
        await page.wait_for_selector("html.live")
        answer = await desk.http.post(f"/api/payments/{payment['order_id']}/cancel")
        assert answer.is_success, answer.text

        await page.wait_for_selector("#status.cancelled", timeout=SOON)

        await expect(page.get_by_role("status")).to_contain_text("Do not pay with this QR code any more.")
        await expect(page.get_by_role("link", name="Pay with GoPay")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "lang", "title"),
    [
        ("id-ID", "id", "Menunggu pembayaran"),
        ("en-US", "en", "Waiting for your payment"),
        ("de-DE", "id", "Menunggu pembayaran"),
    ],
)
async def test_the_page_speaks_the_browser_s_language(
    browser: Browser, desk: DemoDesk, locale: str, lang: str, title: str
) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"], locale=locale) as page:
        assert await page.locator("html").get_attribute("lang") == lang
        await expect(page.get_by_role("status")).to_have_text(title)


async def test_the_language_stays_when_the_payment_changes(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"], locale="id-ID") as page:
        await desk.pay(payment)
        await has_turned_to_paid(page)

        assert await page.title() == "Pembayaran berhasil · Warung Bayar"


@pytest.mark.parametrize("hours_off", [-30, 0, 30])
async def test_the_time_left_is_the_server_s_whatever_the_clock_of_the_device_says(
    browser: Browser, desk: DemoDesk, hours_off: int
) -> None:
    payment = await desk.created(expiry_minutes=90)
    async with await browser.new_context(**DESKTOP) as context:
        page = await context.new_page()
        await page.clock.install(time=time.time() + hours_off * 3600)
        await page.goto(payment["checkout_url"])
        timer = page.get_by_role("timer")
        await expect(timer).to_have_text(re.compile(r"^01:(30:00|29:\d\d)$"))
        await page.clock.fast_forward("10:00")

        await expect(timer).to_have_text(re.compile(r"^01:(20:00|19:\d\d)$"))


async def test_days_are_counted_too(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created(expiry_minutes=3 * 1440)
    async with looking(browser, payment["checkout_url"], locale="id-ID") as page:
        await expect(page.get_by_role("timer")).to_have_text(re.compile(r"^2 hari 23:59:\d\d$"))


async def test_without_a_script_there_is_the_code_and_a_way_to_refresh(
    browser: Browser, desk: DemoDesk
) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"], java_script_enabled=False) as page:
        await expect(page.get_by_role("img")).to_be_visible()
        await expect(page.get_by_text("Pay before")).to_be_visible()
        await desk.pay(payment)
        await eventually(lambda: desk.is_settled(payment))

        await page.get_by_role("link", name="Refresh the status").click()

        await expect(page.get_by_role("status")).to_contain_text("Payment successful")


async def refuse(route: Route) -> None:
    await route.abort()


async def answer_503(route: Route) -> None:
    await route.fulfill(status=503, headers={"Retry-After": "5"})


async def hold_back(route: Route) -> None:
    """A proxy that passes nothing on before the stream's end."""
    del route


@pytest.mark.parametrize("trouble", [refuse, answer_503, hold_back])
async def test_where_no_stream_comes_through_the_page_asks_by_itself(
    browser: Browser, desk: DemoDesk, trouble: Callable[[Route], Awaitable[None]]
) -> None:
    payment = await desk.created()
    async with await browser.new_context(**DESKTOP) as context:
        page = await context.new_page()
        await page.route("**/stream?*", trouble)
        await page.goto(payment["checkout_url"])
        await expect(page.get_by_role("link", name="Refresh the status")).to_be_visible()
        await desk.pay(payment)

        await has_turned_to_paid(page, within=20_000)


async def test_a_stream_that_breaks_is_resumed_and_misses_nothing(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    async with await browser.new_context(**DESKTOP) as context:
        page = await context.new_page()
        await page.goto(payment["checkout_url"])
        await page.wait_for_selector("html.live", timeout=SOON)
        await context.set_offline(offline=True)
        await desk.pay(payment)
        await eventually(lambda: desk.is_settled(payment))
        await expect(page.get_by_role("status")).to_contain_text("Waiting")

        await context.set_offline(offline=False)

        await has_turned_to_paid(page, within=20_000)
        await expect(page.locator("#trouble")).to_be_hidden()


async def test_while_the_stream_is_up_nothing_else_is_asked(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    asked: list[str] = []
    async with await browser.new_context(**DESKTOP) as context:
        page = await context.new_page()
        await page.clock.install()
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        await page.goto(payment["checkout_url"])
        await page.wait_for_selector("html.live", timeout=SOON)
        await page.clock.run_for(120_000)

        assert asked.count(urlsplit(payment["checkout_url"]).path) == 1
        assert len([path for path in asked if path.endswith("/stream")]) == 1
        await expect(page.get_by_role("link", name="Refresh the status")).to_be_hidden()


async def test_once_it_is_over_nothing_is_asked_any_more(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    asked: list[str] = []
    async with await browser.new_context(**DESKTOP) as context:
        page = await context.new_page()
        await page.clock.install()
        await page.goto(payment["checkout_url"])
        await page.wait_for_selector("html.live", timeout=SOON)
        await desk.pay(payment)
        await has_turned_to_paid(page)
        page.on("request", lambda request: asked.append(request.url))

        await page.clock.run_for(120_000)

        assert asked == []


@pytest.mark.parametrize("payment_type", ["gopay", "qris"])
async def test_nothing_is_loaded_from_anywhere_but_here_and_midtrans_s_picture(
    browser: Browser, desk: DemoDesk, payment_type: str
) -> None:
    payment = await desk.created(payment_type=payment_type)
    asked: list[Request] = []
    async with await browser.new_context(**DESKTOP) as context:
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - it wants a function
        await page.goto(payment["checkout_url"])
        await page.wait_for_selector("html.live", timeout=SOON)

    elsewhere = [request.url for request in asked if not request.url.startswith(f"{desk.url}/")]
    pictures = [action["url"] for action in payment["actions"] if action["name"] == "qr-code"]
    assert elsewhere == (pictures if payment_type == "gopay" else [])
    assert {request.headers.get("referer", "") for request in asked} == {""}


async def test_the_change_is_read_out_and_the_focus_is_not_lost(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"]) as page:
        await page.evaluate("document.getElementById('status').isTheSame = true")
        await page.get_by_role("link", name="Pay with GoPay").focus()
        await desk.pay(payment)
        await has_turned_to_paid(page)

        assert await page.evaluate("document.getElementById('status').isTheSame === true")
        assert await page.evaluate("document.activeElement.textContent") == "Payment successful"


async def test_everything_is_reached_by_keyboard_and_seen_when_it_is(
    browser: Browser, desk: DemoDesk
) -> None:
    payment = await desk.created(callback_url="https://shop.example/thanks")
    async with looking(browser, payment["checkout_url"]) as page:
        reached = []
        for _ in range(2):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.textContent"))
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid"

        assert reached == ["Pay with GoPay", "Back to the shop"]


async def test_nothing_moves_for_whoever_wants_no_motion(browser: Browser, desk: DemoDesk) -> None:
    payment = await desk.created()
    async with looking(browser, payment["checkout_url"], reduced_motion="reduce") as page:
        assert await page.evaluate("document.getAnimations().length") == 0


async def test_an_address_that_opens_nothing_has_a_page_too(browser: Browser, desk: DemoDesk) -> None:
    async with looking(browser, f"{desk.url}/checkout/nothing") as page:
        await expect(page.get_by_role("heading")).to_have_text("There is no such page")
