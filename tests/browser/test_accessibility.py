"""Contrast, labels and structure of the customer's pages, by axe-core (WCAG 2.2, A and AA)."""

from typing import Any, Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from support.demo import DemoDesk

RULES: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations", "incomplete"],
}
SCREENS: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1100, "height": 900}, "locale": "en-GB"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "locale": "id-ID"},
    "dark": {"viewport": {"width": 1100, "height": 900}, "locale": "id-ID", "color_scheme": "dark"},
}


async def is_fine(page: Page) -> None:
    found = await Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    unsure = [result["id"] for result in found.response["incomplete"]]
    assert unsure == [], found.response["incomplete"]


async def opened(browser: Browser, screen: str, url: str) -> Page:
    # The checks are scripts that the page's own policy would not let in.
    context = await browser.new_context(bypass_csp=True, reduced_motion="reduce", **SCREENS[screen])
    page = await context.new_page()
    await page.goto(url)
    return page


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("payment_type", ["gopay", "qris"])
async def test_a_payment_that_waits(browser: Browser, desk: DemoDesk, screen: str, payment_type: str) -> None:
    payment = await desk.created(payment_type=payment_type, callback_url="https://shop.example/thanks")
    page = await opened(browser, screen, payment["checkout_url"])
    await page.wait_for_selector("html.live")

    await is_fine(page)

    # Also with what shows only while the connection is lost.
    await page.evaluate(
        "document.documentElement.classList.remove('live'); document.getElementById('trouble').hidden = false"
    )
    await is_fine(page)
    await page.context.close()


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("happens", "state"), [("pay", "paid"), ("expire", "expired")])
async def test_a_payment_that_is_over(
    browser: Browser, desk: DemoDesk, screen: str, happens: str, state: str
) -> None:
    payment = await desk.created(callback_url="https://shop.example/thanks")
    page = await opened(browser, screen, payment["checkout_url"])
    await desk.let(payment, happens)
    await page.wait_for_selector(f"#status.{state}")

    await is_fine(page)
    await page.context.close()


@pytest.mark.parametrize("screen", SCREENS)
async def test_a_page_that_is_not_there(browser: Browser, desk: DemoDesk, screen: str) -> None:
    page = await opened(browser, screen, f"{desk.url}/checkout/nothing")

    await is_fine(page)
    await page.context.close()
