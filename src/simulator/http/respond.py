"""From an answer to bytes on the wire."""

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


def json_response(body: object, status: int) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
