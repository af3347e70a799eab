"""The QR of a pending payment: drawn from its text, else Midtrans's own picture."""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

import segno
from litestar import Response

from domain.actions import QR_CODE
from domain.errors import IllegalTransition
from domain.payment import Payment
from entrypoints.settings import is_midtrans

# Browsers take a backslash for a slash and drop line breaks, so they could go elsewhere than we checked.
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")
# Nothing that would end a word of a content security policy.
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")
_BORDER: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class QrCode:
    """``gateway_url`` is where Midtrans is reached; its host too may be redirected to."""

    gateway_url: str

    def answer(self, payment: Payment) -> Response[bytes]:
        """Raises IllegalTransition when the payment has no QR that may be shown."""
        if drawn := drawing(payment):
            return Response(_file(drawn), media_type="image/svg+xml")
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


def origin_of(url: str) -> str:
    """Scheme, host and port of an address. Raises ValueError."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def drawing(payment: Payment) -> segno.QRCode | None:
    """The QR of the payment's text; None where Midtrans gave none, or one that is longer than any QR."""
    try:
        return segno.make(payment.qr_string, error="m", micro=False) if payment.qr_string else None
    except segno.DataOverflowError:
        return None


def inline(drawn: segno.QRCode) -> str:
    """The drawing as a part of a page, which says around it what it is."""
    markup = drawn.svg_inline(border=_BORDER, light="#fff", omitsize=True, svgclass=None, lineclass=None)
    return markup.replace("<svg ", '<svg aria-hidden="true" ', 1)


def _file(drawn: segno.QRCode) -> bytes:
    """An SVG that scales to whatever box it is put in."""
    out = BytesIO()
    drawn.save(out, kind="svg", border=_BORDER, light="#fff", omitsize=True, title="QRIS")
    return out.getvalue()
