"""What a client may do with a charged payment: show the QR, follow the deep link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

# Two pictures of the same QR; the second carries the frame that Indonesia's QR standard asks for
# (docs.midtrans.com/reference/qris). Chosen by name: positions have changed before.
_QR_PICTURES: Final = ("generate-qr-code-v2", "generate-qr-code")
_DEEPLINK: Final = "deeplink-redirect"
QR_CODE: Final = "qr-code"


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    name: str
    url: str
    method: str = "GET"


def offered(actions: Iterable[object]) -> tuple[Action, ...]:
    """At most one ``qr-code`` and one ``deeplink-redirect`` out of Midtrans's actions.

    The others (get-status, cancel, whatever comes) need the server key or are unknown to us.
    """
    urls = {
        action["name"]: action["url"]
        for action in actions
        if isinstance(action, Mapping)
        and isinstance(action.get("name"), str)
        and isinstance(action.get("url"), str)
    }
    found = []
    if picture := next((urls[name] for name in _QR_PICTURES if name in urls), None):
        found.append(Action(name=QR_CODE, url=picture))
    if deeplink := urls.get(_DEEPLINK):
        found.append(Action(name=_DEEPLINK, url=deeplink))
    return tuple(found)
