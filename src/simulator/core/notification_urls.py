"""Where the notifications of a transaction go."""

from functools import lru_cache
from typing import Final

# docs.midtrans.com/docs/https-notification-webhooks, "Override Notification URL".
_MOST_URLS: Final = 3


# Most transactions share their addresses, and with this their memory.
@lru_cache(maxsize=1_000)
def notification_urls(dashboard: str | None, *, override: str | None, append: str | None) -> tuple[str, ...]:
    """Choose the addresses from the dashboard's one and a charge's two headers.

    X-Override-Notification replaces the dashboard's address, X-Append-Notification adds to
    what then holds. Each names up to three, separated by commas; further ones are ignored.
    """
    first = (dashboard,) if dashboard else ()
    return (_listed(override) or first) + _listed(append)


def _listed(header: str | None) -> tuple[str, ...]:
    urls = (url.strip() for url in (header or "").split(","))
    return tuple(url for url in urls if url)[:_MOST_URLS]
