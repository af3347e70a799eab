"""What the demo prints to do next, done as it is printed: one payment and one fault."""

import asyncio
import json
import re
import shutil
import time

import pytest
from playwright.async_api import Browser, Page, expect

from support.demo import DemoDesk
from support.service import BAYAR, eventually


async def typed(commands: str) -> str:
    """What a shell prints for these lines, as somebody copies them into a terminal."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-ec", commands, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


def commands_of(guide: str, step: int) -> str:
    """The indented lines of a step."""
    text = guide.partition(f"\n{step}. ")[2].partition(f"\n{step + 1}. ")[0]
    return "\n".join(line[3:] for line in text.split("\n")[1:] if line.startswith("   "))


async def opened(browser: Browser, url: str) -> Page:
    page = await (await browser.new_context(locale="en-GB")).new_page()
    await page.goto(url)
    return page


async def test_the_printed_guide_leads_through_a_payment_and_a_fault_in_two_minutes(
    browser: Browser, desk: DemoDesk
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the guide's commands need curl")
    began = time.monotonic()
    guide = desk.guide
    addresses = dict(re.findall(r"^  (\w+ ?\w+) +(http://\S+)", guide, re.MULTILINE))

    # One payment.
    checkout = await opened(browser, addresses["Checkout page"])
    wallet = await opened(browser, addresses["Wallet page"])
    await expect(checkout.get_by_role("status")).to_have_text("Waiting for your payment")
    await wallet.get_by_role("button", name="Pay", exact=True).click()
    await expect(checkout.get_by_role("status")).to_contain_text("Payment successful", timeout=10_000)

    # One fault.
    create = commands_of(guide, 3)
    payment = json.loads(await typed(create))
    page = await opened(browser, payment["checkout_url"])
    assert str(BAYAR) in commands_of(guide, 4)
    assert "armed: notification-dropped" in await typed(commands_of(guide, 4))
    await page.get_by_role("link", name="Pay with GoPay").click()
    await page.get_by_role("button", name="Pay", exact=True).click()
    await expect(page.get_by_text("Paid", exact=True).first).to_be_visible()
    while "/checkout/" not in page.url:
        await page.go_back()
    await expect(page.get_by_role("status")).to_have_text("Waiting for your payment")

    export = next(line for line in create.split("\n") if line.startswith("export TOKEN="))

    async def is_asked() -> bool:
        status = json.loads(await typed(f"{export}\n{commands_of(guide, 6)}"))
        return bool(status["status"] == "settlement" and status["refreshed"])

    await eventually(is_asked, within=20)
    await expect(page.get_by_role("status")).to_contain_text("Payment successful", timeout=10_000)

    assert time.monotonic() - began < 120
    for looked_at in (checkout, wallet, page):
        await looked_at.context.close()


async def test_the_guide_names_where_everything_is(desk: DemoDesk) -> None:
    for address in (f"{desk.url}/docs", desk.simulator_url):
        assert address in desk.guide
        assert (await desk.http.get(address)).is_success
