"""Addresses of the web in settings. What is wrong with one is told without repeating it, secret or not."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

_LONGEST: Final = 2048
# What the pages of an app or of a browser's extension are from, such as capacitor://localhost.
_OF_AN_APP: Final = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(?::[0-9]{1,5})?")
_OWN_PORTS: Final = {"http": 80, "https": 443}


def endpoint_url(text: str) -> str:
    """An address of a shop's endpoint. Raises ValueError."""
    _check(text)
    if len(text) > _LONGEST or "#" in text:
        message = f"must have no # and be no longer than {_LONGEST} characters"
        raise ValueError(message)
    return text


def base_url(text: str) -> str:
    """An address that paths are put behind. Raises ValueError."""
    _check(text)
    if "?" in text or "#" in text:
        message = "must be an http(s) address without a query"
        raise ValueError(message)
    return text.rstrip("/")


def origins(text: str) -> tuple[str, ...]:
    """Origins between commas, each as browsers write it, or ``*``. Raises ValueError."""
    return tuple(_only_origin(part.strip()) for part in text.split(",") if part.strip())


def _only_origin(text: str) -> str:
    if text == "*":
        return text
    address = text.rstrip("/")
    parts = split(address)
    if "*" in address or address.lower() != f"{parts.scheme}://{parts.netloc}".lower():
        message = "must be origins such as https://shop.example, separated by commas"
        raise ValueError(message)
    if parts.scheme not in _OWN_PORTS and _OF_AN_APP.fullmatch(address):
        return address
    _check(address)
    return origin_of(address)


def origin_of(url: str) -> str:
    """The origin of an address as browsers write it: in lower case and without the scheme's own port.

    Raises ValueError.
    """
    parts = urlsplit(url)
    port = "" if parts.port in {None, _OWN_PORTS.get(parts.scheme)} else f":{parts.port}"
    host = parts.hostname or ""
    return f"{parts.scheme}://[{host}]{port}" if ":" in host else f"{parts.scheme}://{host}{port}"


def split(text: str) -> SplitResult:
    """``urlsplit``, whose own words about a wrong address may repeat a password in it."""
    try:
        return urlsplit(text)
    except ValueError:
        message = "is not an address"
        raise ValueError(message) from None


def _check(text: str) -> None:
    parts = split(text)
    if parts.scheme not in _OWN_PORTS or not parts.hostname:
        message = "must be an http(s) address"
        raise ValueError(message)
    if not text.isascii() or not text.isprintable() or any(mark in text for mark in " ,\\"):
        message = "must be plain ASCII without blanks, commas and \\; write an international name as xn--…"
        raise ValueError(message)
    if "@" in parts.netloc:  # it is logged, shown and sent to others
        message = "must not hold a user or a password"
        raise ValueError(message)
    if not _can_be_reached(parts):
        message = "must name a host and a port that can be"
        raise ValueError(message)


def _can_be_reached(parts: SplitResult) -> bool:
    try:
        (parts.hostname or "").encode("idna")
        port = parts.port
    except ValueError:
        return False
    return port != 0
