"""Pictures of the checkout page for the README: ``make screenshots``."""

import asyncio
import shutil
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, async_playwright

from support.demo import ARGUMENTS, DemoDesk, a_demo

DOCS: Final = Path(__file__).parents[2] / "docs" / "images"
DESKTOP: Final[dict[str, Any]] = {
    "viewport": {"width": 640, "height": 800},
    "device_scale_factor": 2,
    "locale": "id-ID",
}
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 375, "height": 800},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "id-ID",
}
DARK: Final = PHONE | {"color_scheme": "dark", "locale": "en-GB"}


async def main() -> None:
    DOCS.mkdir(exist_ok=True)
    async with (
        a_demo() as desk,
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS) as browser,
    ):
        await take(browser, desk, "checkout-desktop.png", DESKTOP, payment_type="qris", order_id="A-1001-1")
        await take(browser, desk, "checkout-phone.png", PHONE, order_id="A-1002-1")
        await take(browser, desk, "checkout-paid.png", DARK, pay=True, order_id="A-1003-1")


async def take(
    browser: Browser, desk: DemoDesk, name: str, screen: dict[str, Any], *, pay: bool = False, **fields: Any
) -> None:
    payment = await desk.created(callback_url="https://shop.example/thanks", **fields)
    async with await browser.new_context(reduced_motion="reduce", **screen) as context:
        page = await context.new_page()
        await page.goto(payment["checkout_url"])
        await page.wait_for_selector("html.live")
        if pay:
            await desk.pay(payment)
            await page.wait_for_selector("#status.paid")
        await page.screenshot(path=DOCS / name)


if __name__ == "__main__":
    asyncio.run(main())
