"""A whole demo as a person starts it, and Debian's Chromium to look at it with."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from support.demo import ARGUMENTS, DemoDesk, a_demo
from support.held import held_open


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; nobody needs one to work on something else, but CI does."""
    found = shutil.which("chromium")
    if found is None and os.environ.get("CI"):
        pytest.fail("CI needs the browser: apt-get install chromium")
    if found is None:
        pytest.skip("there is no browser; install one with: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async for browser in held_open(_a_browser(chromium)):
        yield browser


@asynccontextmanager
async def _a_browser(program: str) -> AsyncIterator[Browser]:
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=program, args=ARGUMENTS) as browser,
    ):
        yield browser


@pytest.fixture(scope="session")
async def desk(chromium: str) -> AsyncIterator[DemoDesk]:
    del chromium
    async for desk in held_open(a_demo()):
        yield desk
