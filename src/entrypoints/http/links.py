"""Addresses from elsewhere that a customer may be led to."""

import re
from typing import Final
from urllib.parse import urlsplit

_FORBIDDEN_SCHEMES: Final = {"javascript", "data", "vbscript", "file", "blob"}
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")


def what_is_wrong(url: str) -> str | None:
    """Why nobody may be led there; None for http(s) and for an app's own scheme."""
    if not url.isprintable() or " " in url or "\\" in url:
        return "holds a space, a backslash or an unprintable character"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is not an address"
    scheme = parts.scheme.lower()
    if not _SCHEME.fullmatch(scheme) or scheme in _FORBIDDEN_SCHEMES:
        return "must start with https://, http:// or an app's own scheme"
    if scheme in {"http", "https"} and not host:
        return "names no host"
    if scheme not in {"http", "https"} and not url[len(scheme) + 1 :].strip("/"):
        return "names nothing to open"
    return None


def safe(url: str | None) -> str | None:
    """The address, if somebody may be led there."""
    return url if url is not None and what_is_wrong(url) is None else None
