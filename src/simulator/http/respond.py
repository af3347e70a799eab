"""From an answer to bytes on the wire."""

from datetime import datetime
from http import HTTPStatus

import msgspec
from litestar import Response

from simulator.core.answers import Answer
from simulator.http.replies import Replies
from simulator.ports import Identifiers


class Respond:
    """The one way by which answers of the API leave."""

    def __init__(self, replies: Replies, ids: Identifiers) -> None:
        self._replies = replies
        self._ids = ids

    def __call__(self, answer: Answer) -> Response[bytes]:
        status, body = self._replies.write(answer, request_id=self._ids.uuid())
        return json_response(body, status)


def framework_error(status: int, path: str, at: datetime) -> dict[str, object]:
    """Tell what went wrong as Midtrans's framework does, where no code of Midtrans's own was reached.

    The shape: github.com/Midtrans/midtrans-nodejs-client, issue 70.
    """
    phrase = HTTPStatus(status).phrase
    return {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000",
        "status": status,
        "error": phrase,
        "message": phrase,
        "path": path,
    }


def json_response(body: object, status: int) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
