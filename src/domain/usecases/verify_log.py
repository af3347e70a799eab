from collections.abc import Callable
from dataclasses import dataclass

from domain.chain import anchor, contradiction_in, fault_in
from domain.ports.evidence_log import EvidenceLog


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    order_id: str
    what: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What a verification found; ``head`` is worth keeping elsewhere, to compare the next one with."""

    payments: int
    entries: int
    faults: tuple[Fault, ...]
    head: bytes


class VerifyLog:
    """Check every payment's evidence log and what its row says against it, or one payment's."""

    def __init__(self, *, log: EvidenceLog) -> None:
        self._log = log

    async def __call__(
        self, order_id: str | None = None, *, tell: Callable[[int], None] = lambda _: None
    ) -> Verified:
        """``tell`` hears after each payment how many were checked."""
        payments = entries = 0
        faults: list[Fault] = []
        head = b""
        async with self._log.chains(order_id) as chains:
            async for chain in chains:
                payments, entries = payments + 1, entries + len(chain.entries)
                if what := fault_in(chain) or contradiction_in(chain):
                    faults.append(Fault(order_id=chain.order_id, what=what))
                head = anchor(head, chain)
                tell(payments)
        return Verified(payments=payments, entries=entries, faults=tuple(faults), head=head)
