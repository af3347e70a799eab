"""Calls that the OpenAPI document allows, and many that it does not: each is answered as it says."""

from fuzz.api import Fuzzed, fuzz
from support.database import Databases

# Without chance, and in some fifteen seconds; `make fuzz` looks longer.
SHORTLY = ("--max-examples", "8", "--generation-deterministic")


async def test_no_operation_has_a_fault_or_an_answer_that_is_not_documented(server: Databases) -> None:
    found = await fuzz(await server.migrated(), *SHORTLY)

    assert found.status == 0, found.report
    assert found.faults == []
    assert not [answer for answer in found.answers if answer[2] >= 500]
    reached(found)


def reached(found: Fuzzed) -> None:
    """The hunt was no walk around the house: it made payments, had them paid, cancelled and refunded."""
    answered = {(method, route.rpartition("/")[2], status) for method, route, status in found.answers}
    assert {
        ("POST", "create", 201),
        ("POST", "cancel", 200),
        ("POST", "refunds", 201),
        ("POST", "resend", 202),
        ("GET", "stream", 200),
        ("GET", "deliveries", 200),
    } <= answered
    outcomes = {line["outcome"] for line in found.log if line["event"] == "webhook.received"}
    assert {"forged", "set aside"} <= outcomes
