"""How a contract suite lets time pass: by turning a clock, or by moving what is stored into the past."""

from collections.abc import Awaitable, Callable

PassTime = Callable[[float], Awaitable[None]]
