"""Which faults are to strike, and when."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from simulator.core.faults import FAULTS, Fault, Point
from simulator.core.transaction import Transaction, TransactionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """A fault that strikes the next `times` occasions that fit everything it names."""

    fault: Fault
    times: int = 1
    order_id: str | None = None
    transaction_id: str | None = None
    on: Point | None = None
    seconds: float | None = None

    @property
    def delay(self) -> float:
        """How many seconds it lasts."""
        return (FAULTS[self.fault].seconds or 0) if self.seconds is None else self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something that happens, and can go wrong."""

    point: Point
    order_id: str | None
    transaction_id: str | None
    status: TransactionStatus | None = None


def occasion(point: Point, transaction: Transaction) -> Occasion:
    return Occasion(
        point=point,
        order_id=transaction.order_id,
        transaction_id=transaction.transaction_id,
        status=transaction.status,
    )


def first_that_strikes(armed: Iterable[Armed], occasion: Occasion, faults: Collection[Fault]) -> Armed | None:
    """Choose among these faults the one that was commanded first and fits the occasion."""
    return next((one for one in armed if one.fault in faults and _fits(one, occasion)), None)


def _fits(armed: Armed, occasion: Occasion) -> bool:
    kind = FAULTS[armed.fault]
    return (
        occasion.point in kind.points
        and armed.on in {None, occasion.point}
        and armed.order_id in {None, occasion.order_id}
        and armed.transaction_id in {None, occasion.transaction_id}
        and kind.only in {None, occasion.status}
    )


class FaultPlan:
    """The faults that wait for their occasion, at most `limit`."""

    def __init__(self, limit: int = 1_000) -> None:
        self._limit = limit
        self._armed: list[Armed] = []

    @property
    def armed(self) -> tuple[Armed, ...]:
        return tuple(self._armed)

    def arm(self, armed: Armed) -> bool:
        """Add a command; False when there are too many already."""
        if len(self._armed) >= self._limit:
            return False
        self._armed.append(armed)
        return True

    def reset(self) -> None:
        self._armed.clear()

    def take(self, occasion: Occasion, *faults: Fault) -> Armed | None:
        """Tell which of these faults strikes now, and use it up once."""
        found = first_that_strikes(self._armed, occasion, faults)
        if found is None:
            return None
        index = self._armed.index(found)
        if found.times > 1:
            self._armed[index] = replace(found, times=found.times - 1)
        else:
            del self._armed[index]
        return found
