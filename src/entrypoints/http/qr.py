"""The QR of a pending payment: drawn from its text, else Midtrans's own picture."""

import re
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

import segno
from litestar import Response

from domain.actions import QR_CODE
from domain.errors import IllegalTransition
from domain.payment import Payment
from entrypoints.settings import is_midtrans
from entrypoints.web_address import origin_of

# Browsers take a backslash for a slash and drop line breaks, so they could go elsewhere than we checked.
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")
# Nothing that would end a word of a content security policy.
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")
_BORDER: Final = 4
# Drawing takes 15 ms, in which nobody else is answered, and a customer's page may be loaded often.
_KEPT: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class QrCode:
    """``gateway_url`` is where Midtrans is reached; its host too may be redirected to."""

    gateway_url: str

    def answer(self, payment: Payment) -> Response[bytes]:
        """Raises IllegalTransition when the payment has no QR that may be shown."""
        if drawn := drawing(payment):
            return Response(drawn.svg, media_type="image/svg+xml")
        picture = self.picture(payment)
        if picture is None:
            raise IllegalTransition(payment.order_id, payment.status, "be scanned: it has no QR")
        return Response(b"", status_code=302, media_type="image/svg+xml", headers={"Location": picture})

    def picture(self, payment: Payment) -> str | None:
        """Where Midtrans's own picture is; None if there is none, or not at Midtrans."""
        urls = (action.url for action in payment.actions if action.name == QR_CODE)
        return next((url for url in urls if self._may_redirect(url)), None)

    def _may_redirect(self, url: str) -> bool:
        if not _PLAIN.fullmatch(url):
            return False
        try:
            there, gateway = urlsplit(url), urlsplit(self.gateway_url)
            origin = origin_of(url)
        except ValueError:
            return False
        if not _ORIGIN.fullmatch(origin):
            return False
        if there.scheme == "https" and is_midtrans(there.hostname):
            return True
        return (there.scheme, there.netloc) == (gateway.scheme, gateway.netloc)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A QR as a file of its own, and as a part of a page that says around it what it is."""

    svg: bytes
    markup: str


def drawing(payment: Payment) -> Drawing | None:
    """The QR of the payment's text; None where Midtrans gave none, or one that is longer than any QR."""
    return _drawn(payment.qr_string) if payment.qr_string else None


@lru_cache(maxsize=_KEPT)
def _drawn(text: str) -> Drawing | None:
    try:
        qr = segno.make(text, error="m", micro=False)
    except segno.DataOverflowError:
        return None
    # An SVG that scales to whatever box it is put in.
    svg = BytesIO()
    qr.save(svg, kind="svg", border=_BORDER, light="#fff", omitsize=True, title="QRIS")
    markup = qr.svg_inline(border=_BORDER, light="#fff", omitsize=True, svgclass=None, lineclass=None)
    return Drawing(svg=svg.getvalue(), markup=markup.replace("<svg ", '<svg aria-hidden="true" ', 1))
