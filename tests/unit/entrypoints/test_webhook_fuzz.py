"""Whatever is posted to the webhook: it is read and fit to be kept, or refused by one of two named errors."""

import json
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import NotANotification
from domain.notification import NEEDED, readable
from domain.status import Status
from entrypoints.http.untrusted import Malformed, decode
from entrypoints.http.webhook import read_delivery
from support.builders import NOW
from unit.entrypoints.harness import a_notification_body, a_service

# Of all that a text can be, what tends to break something comes often.
ODD = st.sampled_from(
    ["\0", "\ud800", "\x1b[2J", "\x9b31m", "\u202e", "' OR 1=1 --", "200", "1e400", "..", "\r\n"]
)
TEXTS = st.text(max_size=70) | ODD | st.builds(lambda text, odd: text + odd, st.text(max_size=20), ODD)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted(a_notification_body())) | TEXTS


def changed(changes: dict[str, Any], gone: list[str]) -> bytes:
    said = a_notification_body() | changes
    return json.dumps({name: value for name, value in said.items() if name not in gone}).encode()


NOTIFICATIONS = st.builds(
    changed,
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.lists(st.sampled_from(sorted(NEEDED)), max_size=1),
)
# One of them with bytes cut out of it, or put in.
BROKEN = st.builds(
    lambda body, start, end, put: body[: start % len(body)] + put + body[end % len(body) :],
    NOTIFICATIONS,
    st.integers(0, 2000),
    st.integers(0, 2000),
    st.binary(max_size=6),
)
BODIES = (
    NOTIFICATIONS | BROKEN | st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode())
)


@given(BODIES)
@example(b"[" * 60_000)
@example(b'{"a":' * 10_000)
@example(b"1" * 60_000)
@example(b"1e" + b"9" * 60_000)
@example(b"-0.0e-99999999999999999999")
@example(b'"' + b"\\ud83d" * 10_000 + b'"')
@example(b"\xef\xbb\xbf{}")
@example(b"\xff" * 60_000)
def test_a_body_is_read_or_refused_by_name(body: bytes) -> None:
    try:
        delivery = read_delivery(body, at=NOW)
    except (Malformed, NotANotification):
        return

    for name, most in NEEDED.items():
        if name != "signature_key":
            assert 1 <= len(getattr(delivery.notification, name)) <= most
    # What is kept can be kept, and shown without what proves it.
    kept = json.loads(delivery.body.encode())
    assert "\0" not in msgspec.json.encode(kept).decode()
    assert "signature_key" not in readable(delivery.body)


@given(BODIES)
def test_what_is_decoded_is_json_that_postgres_can_keep(body: bytes) -> None:
    try:
        value = decode(body)
    except Malformed:
        return

    written = json.dumps(value, allow_nan=False)
    assert "\\u0000" not in written
    assert not any(f"\\ud{half:x}" in json.dumps(value, ensure_ascii=False) for half in range(0x800, 0x810))
    assert len(written) <= 20 * len(body) + 40


@given(BODIES)
async def test_whatever_is_posted_has_one_of_the_webhook_s_own_answers(body: bytes) -> None:
    service = a_service()
    await service.given()

    answer = await service.notify_raw(body)

    assert answer.status_code in {200, 400, 403}
    assert service.stored().status is Status.PENDING or is_genuine(body)


@given(st.sampled_from(sorted(NEEDED)), TEXTS.filter(lambda text: "\ud800" not in text))
async def test_a_signed_one_moves_a_payment_by_nothing_but_midtrans_s_own_words(name: str, text: str) -> None:
    service = a_service()
    await service.given()
    said = {name: text} if name == "signature_key" else a_notification_body(**{name: text})

    answer = await service.notify(**said)

    assert answer.status_code in {200, 400, 403}
    assert service.stored().status is Status.PENDING or text == a_notification_body()[name]


def is_genuine(body: bytes) -> bool:
    """With something put where nothing of ours looks, a notification is as good as ever."""
    said = json.loads(body)
    return all(said.get(name) == value for name, value in a_notification_body().items() if name in NEEDED)
