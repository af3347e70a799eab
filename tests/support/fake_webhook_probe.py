from domain.ports.webhook_probe import Answered, Unanswered

AS_BAYAR = Answered(status=400, media_type="application/problem+json", code="invalid-body", tls_1_2=True)


class ScriptedWebhookProbe:
    """Answers as told, at first as a Bayar behind TLS does, and remembers where it was sent."""

    def __init__(self) -> None:
        self.reply: Answered | Unanswered = AS_BAYAR
        self.asked: list[str] = []

    async def __call__(self, url: str) -> Answered | Unanswered:
        self.asked.append(url)
        return self.reply
