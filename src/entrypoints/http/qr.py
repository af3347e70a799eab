"""The QR of a pending payment: drawn from its text, else Midtrans's own picture."""

import re
from contextlib import suppress
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


@dataclass(frozen=True, kw_only=True, slots=True)
class QrCode:
    """``gateway_url`` is where Midtrans is reached; its host too may be redirected to."""

    gateway_url: str

    def answer(self, payment: Payment) -> Response[bytes]:
        """Raises IllegalTransition when the payment has no QR that may be shown."""
        with suppress(segno.DataOverflowError):  # longer than any QR: then it is none
            if payment.qr_string:
                return Response(draw(payment.qr_string), media_type="image/svg+xml")
        picture = next((action.url for action in payment.actions if action.name == QR_CODE), None)
        if picture is None or not self._may_redirect(picture):
            raise IllegalTransition(payment.order_id, payment.status, "be scanned: it has no QR")
        return Response(b"", status_code=302, media_type="image/svg+xml", headers={"Location": picture})

    def _may_redirect(self, url: str) -> bool:
        if not _PLAIN.fullmatch(url):
            return False
        try:
            there, gateway = urlsplit(url), urlsplit(self.gateway_url)
        except ValueError:
            return False
        if there.scheme == "https" and is_midtrans(there.hostname):
            return True
        return (there.scheme, there.netloc) == (gateway.scheme, gateway.netloc)


def draw(text: str) -> bytes:
    """An SVG that scales to whatever box it is put in."""
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", border=4, light="#fff", omitsize=True, title="QRIS"
    )
    return out.getvalue()
