"""How far Midtrans's clock and ours are apart, as closely as the Date header of an answer tells."""

import httpx
import pytest

from support.builders import NOW
from support.recorded import NOT_FOUND, response
from support.situations import RecordedMidtrans


async def apart(answer: httpx.Response | Exception) -> float | None:
    midtrans = RecordedMidtrans()
    midtrans.answers(answer)
    return await midtrans.gateway.seconds_apart()


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Fri, 06 Feb 2026 03:00:00 GMT", 0.0),
        ("Fri, 06 Feb 2026 02:59:59 GMT", 0.0),  # a second has many moments
        ("Fri, 06 Feb 2026 02:59:50 GMT", 9.0),
        ("Fri, 06 Feb 2026 03:01:00 GMT", 60.0),
        ("Fri, 06 Feb 2026 10:00:00 +0700", 0.0),
        ("Fri, 06 Feb 2026 03:00:00 -0000", 0.0),
    ],
)
async def test_the_date_of_an_answer_is_compared_with_our_own_time(date: str, seconds: float) -> None:
    assert NOW.isoformat() == "2026-02-06T03:00:00+00:00"
    answer = response(NOT_FOUND)
    answer.headers["Date"] = date

    assert await apart(answer) == seconds


@pytest.mark.parametrize("date", ["", "soon", "06/02/2026", "Fri, 99 Feb 2026 03:00:00 GMT"])
async def test_what_is_no_date_tells_nothing(date: str) -> None:
    answer = response(NOT_FOUND)
    answer.headers["Date"] = date

    assert await apart(answer) is None


async def test_without_a_date_or_an_answer_nothing_is_known() -> None:
    assert await apart(response(NOT_FOUND)) is None
    assert await apart(httpx.ConnectError("refused")) is None
