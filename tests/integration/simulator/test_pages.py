import pytest

from simulator.core.faults import FAULTS
from simulator.http.markup import Markup, joined, tag
from support.simulator_desk import Desk

ID = "00000000-0000-4000-8000-000000000001"


def test_text_cannot_become_markup() -> None:
    html = tag("p", "<b>", Markup("<i></i>"), None, ["&", tag("br")], title='"', hidden=True, lang=None)

    assert html == '<p title="&quot;" hidden>&lt;b&gt;<i></i>&amp;<br></br></p>'
    assert joined("<", Markup("<")) == "&lt;<"
    assert tag("input", name="a", for_="b", aria_label="c") == '<input name="a" for="b" aria-label="c">'


@pytest.mark.parametrize("path", ["/", "/wire", "/wallet", f"/wallet/{ID}"])
async def test_every_page_runs_nothing_and_asks_nobody_else(desk: Desk, path: str) -> None:
    await desk.charge()

    page = await desk.client.get(path, auth=("", ""))

    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert " style=" not in page.text
    assert 'name="viewport"' in page.text


@pytest.mark.parametrize("path", ["/", "/wire", "/?order_id=%22%3E%3Cscript%3E", "/wire?path=%3Cscript%3E"])
async def test_what_a_merchant_sends_cannot_become_markup(desk: Desk, path: str) -> None:
    await desk.charge(custom_field1="<script>alert(1)</script>")
    await desk.trigger("error-500", order_id='"><script>')

    assert "<script" not in (await desk.client.get(path)).text


async def test_the_desk_shows_the_transactions_with_the_moves_that_are_open(desk: Desk) -> None:
    await desk.charge("o-1")
    await desk.paid("o-2")
    await desk.paid("o-3")
    await desk.refund("o-3", amount=1)
    await desk.charge("o-4")
    await desk.post("/v2/o-4/cancel")

    text = (await desk.client.get("/")).text
    moves = {
        order_id: [
            act for act in ("pay", "expire", "deny", "chargeback", "confirm-refunds") if f"/{act}" in item
        ]
        for order_id, item in zip(("o-4", "o-3", "o-2", "o-1"), text.split("<li>")[1:], strict=True)
    }

    assert moves == {
        "o-1": ["pay", "expire", "deny"],
        "o-2": ["chargeback"],
        "o-3": ["confirm-refunds"],
        "o-4": [],
    }


async def test_the_desks_buttons_work(desk: Desk) -> None:
    await desk.paid()
    page = (await desk.client.get("/")).text
    assert '<input type="hidden" name="whole" value="true">' in page

    await desk.post(f"/simulator/transactions/{ID}/chargeback", data={"whole": "true"})

    assert "Charged back" in (await desk.client.get("/")).text


async def test_the_desk_finds_the_transactions_of_an_order(desk: Desk) -> None:
    await desk.charge("o-1")
    await desk.charge("o-2")

    text = (await desk.client.get("/?order_id=o-2")).text

    assert "<strong>o-2</strong>" in text
    assert "<strong>o-1</strong>" not in text


async def test_the_desk_offers_every_fault_and_shows_those_that_wait(desk: Desk) -> None:
    await desk.trigger("slow-answer", times=2, order_id="o-1", on="charge", seconds=2.5)

    text = (await desk.client.get("/")).text

    assert all(f'<option value="{fault}">{fault}</option>' in text for fault in FAULTS)
    assert all(f'<button name="fault" value="{fault}"' in text for fault in FAULTS)
    assert "on charge · for order o-1 · 2.5 s" in text
    assert "2 times" in text


async def test_what_could_not_be_done_is_told_on_the_page_that_was_shown(desk: Desk) -> None:
    await desk.charge()
    command = {"fault": "error-500", "on": "payment", "showing": "o-1"}

    answer = await desk.post("/simulator/faults", data=command)
    page = await desk.client.get(answer.headers["location"])

    assert answer.status_code == 303
    assert (
        "Not done: error-500 strikes on charge, cancel, expire, refund, status, not on payment." in page.text
    )
    assert 'name="showing" value="o-1"' in page.text
    assert (await desk.client.get("/simulator/faults")).json()["armed"] == []


async def test_a_move_leads_back_to_what_was_shown(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post("/simulator/transactions/o-1/pay", data={"by": "qr", "showing": "o-1"})

    assert answer.headers["location"] == "/?order_id=o-1"
    assert (await desk.status("o-1"))["transaction_status"] == "settlement"
