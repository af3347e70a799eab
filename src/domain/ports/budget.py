from typing import Protocol


class AskingBudget(Protocol):
    """What the background work may ask of Midtrans, over all processes, within one open transaction.

    The rules are in ``domain.asking``.
    """

    async def allowance(self) -> int | None:
        """How many questions may be asked now, None while Midtrans is left alone because it is silent.

        Until the transaction ends nobody else gets any.
        """
        ...

    async def spend(self, questions: int) -> None:
        """Count questions that were allowed and will be asked."""
        ...

    async def overspend(self, questions: int) -> None:
        """Count questions that are asked without being allowed; what waits for an answer waits no longer.

        Something is left for those that wait to be allowed, however many these are.
        """
        ...

    async def report(self, *, answered: bool) -> None:
        """Whether anything of a round of questions was answered."""
        ...
