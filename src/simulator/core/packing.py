"""Keeping a hundred thousand things in little memory."""

import zlib
from typing import Final, Generic, TypeVar

import msgspec

Thing = TypeVar("Thing")

# The fastest: what more it could save is not worth the time.
_EFFORT: Final = 1
# Without a header and a checksum, which would take as much as a word or two.
_BARE: Final = -15
# Words that many of them have; the likelier, the nearer to the end.
_WORDS: Final = (
    b"airpay shopeedenycancelexpirechargebackpartial_refundrefundhttps://www.http://127.0.0.1:"
    b".co.id.com@gmail.com+62812345678-0123456789abcdefapi/payments/webhookqrsettlementdeeplinkqris"
    b"gopaygopaypending"
)


class Packing(Generic[Thing]):
    """Turns things of one kind into bytes, a seventh of their size, and back into equal things."""

    def __init__(self, kind: object) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def pack(self, thing: Thing) -> bytes:
        compressor = zlib.compressobj(_EFFORT, wbits=_BARE, zdict=_WORDS)
        return compressor.compress(self._encode(thing)) + compressor.flush()

    def unpack(self, packed: bytes) -> Thing:
        thing: Thing = self._decode(zlib.decompressobj(_BARE, zdict=_WORDS).decompress(packed))
        return thing
