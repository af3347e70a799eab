"""The QR pictures that a charge's actions point to; like Midtrans's, they need no key."""

import asyncio
from io import BytesIO

import segno
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from simulator.core.merchant import Merchant
from simulator.core.midtrans import Midtrans
from simulator.core.qris import qr_string
from simulator.core.transaction import PaymentType, Transaction


# A parameter where Midtrans's address has "gopay" or "qris": as fixed words these would hide a
# transaction whose order id is one of them from the status route beside this one.
@get("/v2/{charged_as:str}/{transaction_id:str}/qr-code")
async def qr_code(
    charged_as: FromPath[str],
    transaction_id: FromPath[str],
    midtrans: NamedDependency[Midtrans],
    merchant: NamedDependency[Merchant],
) -> Response[bytes]:
    return await _picture(midtrans.find(transaction_id), charged_as, merchant)


@get("/v4/qris/gopay/{qr_id:str}/qr-code")
async def gopay_qr_code_v2(
    qr_id: FromPath[str],
    midtrans: NamedDependency[Midtrans],
    merchant: NamedDependency[Merchant],
) -> Response[bytes]:
    return await _picture(midtrans.find_by_qr_id(qr_id), PaymentType.GOPAY, merchant)


@get("/v4/qris/{qr_id:str}/qr-code")
async def qris_qr_code_v2(
    qr_id: FromPath[str],
    midtrans: NamedDependency[Midtrans],
    merchant: NamedDependency[Merchant],
) -> Response[bytes]:
    return await _picture(midtrans.find_by_qr_id(qr_id), PaymentType.QRIS, merchant)


def qr_pictures(*, midtrans: Midtrans, merchant: Merchant) -> Router:
    """Gather the addresses; v4 shows the same bare picture, without the frame that QRIS adds."""
    return Router(
        "/",
        route_handlers=[qr_code, gopay_qr_code_v2, qris_qr_code_v2],
        dependencies={
            "midtrans": Provide(lambda: midtrans, sync_to_thread=False),
            "merchant": Provide(lambda: merchant, sync_to_thread=False),
        },
    )


async def _picture(transaction: Transaction | None, charged_as: str, merchant: Merchant) -> Response[bytes]:
    if transaction is None or transaction.charged_as != charged_as:
        raise NotFoundException
    # Drawing takes about 13 ms, in which other requests would stand still.
    picture = await asyncio.to_thread(_draw, qr_string(transaction, merchant))
    return Response(picture, media_type="image/png")


def _draw(text: str) -> bytes:
    picture = BytesIO()
    segno.make(text, micro=False).save(picture, kind="png", scale=8)
    return picture.getvalue()
