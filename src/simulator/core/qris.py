"""The text inside a QRIS code."""

import binascii
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from simulator.core.merchant import Merchant
from simulator.core.transaction import Acquirer, Transaction

_DOMAIN: Final[Mapping[Acquirer, str]] = {
    Acquirer.GOPAY: "COM.GO-JEK.WWW",
    Acquirer.AIRPAY_SHOPEE: "ID.CO.SHOPEE.WWW",
}
# The acquirers' national numbering system codes, first part of a merchant's account number.
_NNS: Final[Mapping[Acquirer, str]] = {
    Acquirer.GOPAY: "93600914",
    Acquirer.AIRPAY_SHOPEE: "93600918",
}


def qr_string(transaction: Transaction, merchant: Merchant) -> str:
    """Write the payload of a dynamic QRIS code: EMVCo merchant-presented mode, with its CRC.

    Layout: EMV QRCPS Merchant-Presented Mode 1.1, with the templates 26 and 51 of QRIS.
    """
    digits = re.sub(r"\D", "", merchant.id)[-9:].zfill(9)
    account = (
        _object("00", _DOMAIN[transaction.acquirer])
        + _object("01", f"{_NNS[transaction.acquirer]}3{digits}")
        + _object("02", f"G{digits}")
        + _object("03", "UMI")
    )
    registration = _object("00", "ID.CO.QRIS.WWW") + _object("02", f"ID1{digits:0>12}") + _object("03", "UMI")
    additional = _object("05", bill_number(transaction.transaction_id))
    payload = (
        _object("00", "01")
        + _object("01", "12")
        + _object("26", account)
        + _object("51", registration)
        + _object("52", "5499")
        + _object("53", "360")
        + _object("54", str(transaction.amount))
        + _object("58", "ID")
        + _object("59", _plain(merchant.name, 25))
        + _object("60", _plain(merchant.city, 15))
        + _object("62", additional + _object("07", "A01"))
        + "6304"
    )
    return payload + crc16(payload)


def bill_number(transaction_id: str) -> str:
    """Tell what makes this transaction's code unlike any other; 25 characters is the field's limit."""
    return transaction_id.replace("-", "")[-25:]


def crc16(payload: str) -> str:
    """CRC-16/CCITT with start value FFFF, as four upper-case hex digits."""
    return f"{binascii.crc_hqx(payload.encode(), 0xFFFF):04X}"


def _object(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"


def _plain(text: str, longest: int) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return decomposed.encode("ascii", "ignore").decode()[:longest].strip() or "-"
