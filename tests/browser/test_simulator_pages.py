"""The look-alike's pages in a browser: on a phone and a desktop, light and dark, without a mouse."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from support.held import held_open
from support.simulator import SERVER_KEY, Simulator, a_simulator

PHONE: Final = {"width": 390, "height": 844}
DESKTOP: Final = {"width": 1280, "height": 900}
PAGES: Final = (
    "/",
    "/?order_id=paid&refused=That%20does%20not%20go.",
    "/wire",
    "/wallet",
    "/wallet?qr=nobodys",
    "/wallet/open",
    "/wallet/open?by=qr",
    "/wallet/open?wait=1",
    "/wallet/open?declined=1",
    "/wallet/paid",
)
ORDER_ID_OF_50: Final = "an-order-id-of-fifty-characters-which-is-the-longest"[:50]


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async for browser in held_open(a_browser()):
        yield browser


@pytest.fixture(scope="module")
async def simulator() -> AsyncIterator[Simulator]:
    """One with a transaction of each kind, a fault that waits and one that struck."""
    async for simulator in held_open(a_simulator()):
        for order_id in ("open", "paid", ORDER_ID_OF_50):
            await charge(simulator, order_id)
        await simulator.control.post("/wallet/paid/pay", json={"by": "qr"})
        refund = {"refund_key": "k", "amount": 1}
        await simulator.control.post("/v2/paid/refund", json=refund, auth=(SERVER_KEY, ""))
        for fault in ("slow-answer", "bad-gateway"):
            await simulator.control.post("/simulator/faults", json={"fault": fault, "on": "status"})
        yield simulator


async def charge(simulator: Simulator, order_id: str) -> None:
    body = {
        "payment_type": "gopay",
        "transaction_details": {"order_id": order_id, "gross_amount": 9_750_000},
        "gopay": {"enable_callback": True, "callback_url": "https://shop.example/back"},
    }
    await simulator.control.post("/v2/charge", json=body, auth=(SERVER_KEY, ""))


@asynccontextmanager
async def a_page(browser: Browser, url: str, size: dict[str, int], scheme: str) -> AsyncIterator[Page]:
    # The pages run no script, so axe has to be let in past their own policy.
    context = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,
    )
    page = await context.new_page()
    await page.goto(url)
    yield page
    await context.close()


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "desktop"])
async def test_every_page_is_for_everybody(
    browser: Browser, simulator: Simulator, size: dict[str, int], scheme: str
) -> None:
    async with a_page(browser, simulator.url, size, scheme) as page:
        for path in PAGES:
            await page.goto(f"{simulator.url}{path}")
            await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            found = (await Axe().run(page)).response

            told = [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
            assert (path, told) == (path, [])
            assert found["passes"]
            assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


async def test_a_payment_is_made_with_the_keyboard_alone(browser: Browser, simulator: Simulator) -> None:
    await charge(simulator, "by-keyboard")
    async with a_page(browser, f"{simulator.url}/wallet/by-keyboard", PHONE, "light") as page:
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Pay"
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=Paid")

    assert (await simulator.shop.told("by-keyboard", "settlement"))["payment_type"] == "gopay"


async def test_a_fault_is_pressed_and_strikes_once(browser: Browser, simulator: Simulator) -> None:
    await simulator.control.delete("/simulator/faults")
    async with a_page(browser, simulator.url, DESKTOP, "light") as page:
        await page.get_by_role("button", name="rate-limited").press("Enter")
        await page.wait_for_selector("text=once")

    status = "/v2/open/status"
    first = await simulator.control.get(status, auth=(SERVER_KEY, ""))
    second = await simulator.control.get(status, auth=(SERVER_KEY, ""))
    assert (first.status_code, second.status_code) == (429, 200)


async def test_a_notification_is_sent_again_from_the_log(browser: Browser, simulator: Simulator) -> None:
    await charge(simulator, "again")
    await simulator.shop.told("again", "pending")
    async with a_page(browser, f"{simulator.url}/wire?order_id=again", PHONE, "light") as page:
        await page.get_by_role("button", name="Send again").press("Enter")
        await simulator.shop.told("again", "pending")
        assert page.url.endswith("/wire?order_id=again")
