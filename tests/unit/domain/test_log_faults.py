import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from domain import history
from domain.decide import decide
from domain.history import Chain, Entry, anchor, fault_in, seal
from support.builders import a_charge_answer, a_payment, a_status_reply


@pytest.fixture
def chain() -> Chain:
    """Created, charged, settled: three entries."""
    payment, entries = history.opened(a_payment(log_length=0, log_head=b""))
    for evidence in (a_charge_answer(), a_status_reply()):
        decision = decide(payment, evidence)
        payment, entries = decision.payment, entries + decision.entries
    return Chain(
        order_id=payment.order_id,
        payment_id=payment.id,
        length=payment.log_length,
        head=payment.log_head,
        entries=entries,
    )


def resealed(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries with digests made anew, as somebody would who knows how."""
    head, done = b"", []
    for entry in entries:
        sealed = replace(entry, digest=seal(entry, head))
        done.append(sealed)
        head = sealed.digest
    return tuple(done)


def edited(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], replace(entries[1], detail={"transaction_id": "t-other"}), *entries[2:])


def edited_and_resealed(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return resealed(edited(entries))


def without_the_second(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], *entries[2:])


def without_the_last(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return entries[:-1]


def without_any(_entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return ()


def with_one_more(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return resealed((*entries, replace(entries[-1], seq=len(entries) + 1)))


def with_one_between(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], entries[0], *entries[1:])


def swapped(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], replace(entries[2], seq=2), replace(entries[1], seq=3))


def test_a_log_as_it_was_written_is_whole(chain: Chain) -> None:
    assert len(chain.entries) == 3
    assert fault_in(chain) is None


@pytest.mark.parametrize(
    ("touch", "told"),
    [
        (edited, "entry 2 .* is not as it was written"),
        (edited_and_resealed, "head is not the last entry's digest"),
        (without_the_second, "entry 2 is missing"),
        (without_the_last, "has 2 entries, the payment knows of 3"),
        (without_any, "has 0 entries, the payment knows of 3"),
        (with_one_more, "has 4 entries, the payment knows of 3"),
        (with_one_between, "entry 1 is there twice"),
        (swapped, "entry 2 .* is not as it was written"),
    ],
)
def test_whatever_is_done_to_a_log_is_found(
    chain: Chain, touch: Callable[[tuple[Entry, ...]], tuple[Entry, ...]], told: str
) -> None:
    fault = fault_in(replace(chain, entries=touch(chain.entries)))

    assert fault is not None
    assert re.search(told, fault)


def test_a_log_that_was_cut_together_with_its_payments_row_shows_in_the_anchor(chain: Chain) -> None:
    cut = replace(chain, entries=chain.entries[:-1], length=2, head=chain.entries[1].digest)

    assert fault_in(cut) is None
    assert anchor(b"", cut) != anchor(b"", chain)


def test_the_anchor_tells_the_order_and_the_number_of_logs(chain: Chain) -> None:
    other = replace(chain, head=b"x" * 32)

    assert anchor(anchor(b"", chain), other) != anchor(anchor(b"", other), chain)
    assert anchor(anchor(b"", chain), chain) != anchor(b"", chain)
