from datetime import timedelta

import pytest

from support.simulator_desk import Desk

ID = "00000000-0000-4000-8000-000000000001"


async def test_the_page_shows_who_is_paid_how_much_and_where_it_stands(desk: Desk) -> None:
    charge = await desk.charge()
    deeplink = next(
        action["url"] for action in charge.json()["actions"] if action["name"] == "deeplink-redirect"
    )

    page = await desk.client.get(deeplink, auth=("", ""))

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Warung Kopi" in page.text
    assert "Rp10.000" in page.text
    assert "Waiting for payment" in page.text
    assert f'action="/wallet/{ID}/pay"' in page.text
    assert 'name="viewport"' in page.text


async def test_the_page_asks_nobody_else_for_anything(desk: Desk) -> None:
    await desk.charge()

    page = await desk.client.get(f"/wallet/{ID}")

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.text
    assert "<script" not in page.text


async def test_paying_with_the_form_leads_back_to_the_page(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post(f"/wallet/{ID}/pay", data={"by": "deeplink"})

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/wallet/{ID}"
    page = await desk.client.get(answer.headers["location"])
    assert "Paid" in page.text
    assert "<form" not in page.text


async def test_paying_by_deep_link_keeps_the_payment_type(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post(f"/wallet/{ID}/pay", json={"by": "deeplink"})

    assert answer.status_code == 200
    assert answer.json() == {
        "transaction_id": ID,
        "order_id": "o-1",
        "payment_type": "gopay",
        "transaction_status": "settlement",
    }
    for told in (await desk.status("o-1"), desk.receiver.bodies[-1]):
        assert told["payment_type"] == "gopay"
        assert told["payment_option_type"] == "GOPAY_WALLET"
        assert not {"issuer", "acquirer", "transaction_type"} & set(told)


async def test_paying_a_gopay_charge_by_its_qr_code_makes_it_qris(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post(f"/wallet/{ID}/pay", json={"by": "qr"})

    assert answer.json()["payment_type"] == "qris"
    for told in (await desk.status("o-1"), desk.receiver.bodies[-1]):
        assert told["payment_type"] == "qris"
        assert told["issuer"] == "gopay"
        assert told["acquirer"] == "gopay"
        assert told["transaction_type"] == "on-us"
        assert told["merchant_cross_reference_id"]
        assert "payment_option_type" not in told


async def test_a_qris_charge_is_paid_by_qr_whatever_is_said(desk: Desk) -> None:
    await desk.charge(payment_type="qris", qris={"acquirer": "airpay shopee"})

    await desk.post(f"/wallet/{ID}/pay", json={"by": "deeplink"})

    told = desk.receiver.bodies[-1]
    assert told["payment_type"] == "qris"
    assert told["issuer"] == "airpay shopee"
    assert "merchant_cross_reference_id" not in told


@pytest.mark.parametrize("end", ["/v2/o-1/cancel", "/v2/o-1/expire", f"/wallet/{ID}/pay"])
async def test_only_a_pending_transaction_can_be_paid(desk: Desk, end: str) -> None:
    await desk.charge()
    await desk.post(end)
    before = await desk.status("o-1")
    notified = len(desk.receiver.requests)

    answer = await desk.post(f"/wallet/{ID}/pay")
    form = await desk.post(f"/wallet/{ID}/pay", data={"by": "qr"})

    assert answer.status_code == 409
    assert answer.json()["transaction_status"] == before["transaction_status"]
    assert form.status_code == 303
    assert await desk.status("o-1") == before
    assert len(desk.receiver.requests) == notified


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"by":"cash"}', b'{"by":' + b"[" * 7_000])
async def test_a_payment_nobody_understands_is_not_made(desk: Desk, content: bytes) -> None:
    await desk.charge()

    assert (await desk.post(f"/wallet/{ID}/pay", content=content)).status_code == 400
    assert (await desk.status("o-1"))["transaction_status"] == "pending"


async def test_an_unknown_transaction_has_no_page(desk: Desk) -> None:
    assert (await desk.client.get("/wallet/nobody")).status_code == 404
    assert (await desk.client.post("/wallet/nobody/pay")).status_code == 404


@pytest.mark.parametrize(("end", "result"), [("/wallet/o-1/pay", "success"), ("/v2/o-1/cancel", "failure")])
async def test_a_finished_transaction_leads_back_to_the_shop(desk: Desk, end: str, result: str) -> None:
    await desk.charge(gopay={"enable_callback": True, "callback_url": "https://shop.example/back?a=1"})
    assert "shop.example" not in (await desk.client.get(f"/wallet/{ID}")).text
    await desk.post(end)

    page = await desk.client.get(f"/wallet/{ID}")

    link = f"https://shop.example/back?a=1&amp;order_id=o-1&amp;result={result}"
    assert f'href="{link}"' in page.text


async def test_without_enable_callback_there_is_no_way_back(desk: Desk) -> None:
    await desk.charge(gopay={"callback_url": "https://shop.example/back"})
    await desk.post(f"/wallet/{ID}/pay")

    assert "shop.example" not in (await desk.client.get(f"/wallet/{ID}")).text


async def test_what_a_merchant_sends_cannot_become_markup(desk: Desk) -> None:
    await desk.charge(gopay={"enable_callback": True, "callback_url": 'app://"><script>'})
    await desk.post(f"/wallet/{ID}/pay")

    assert "<script>" not in (await desk.client.get(f"/wallet/{ID}")).text


async def test_the_page_offers_to_pay_to_decline_and_to_wait(desk: Desk) -> None:
    await desk.charge()

    page = await desk.client.get(f"/wallet/{ID}")

    assert f'action="/wallet/{ID}/pay"' in page.text
    assert f'action="/wallet/{ID}/decline"' in page.text
    assert f'href="/wallet/{ID}?wait=1"' in page.text
    assert "15 min 0 s" not in page.text
    assert "14 min 59 s" in page.text
    assert "refresh" not in page.headers


async def test_declining_changes_nothing_and_tells_nobody(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post(f"/wallet/{ID}/decline", data={"why": "declined"})
    page = await desk.client.get(answer.headers["location"])

    assert answer.status_code == 303
    assert "Your wallet declined" in page.text
    assert f'action="/wallet/{ID}/pay"' in page.text
    assert (await desk.post(f"/wallet/{ID}/decline")).json()["transaction_status"] == "pending"
    assert desk.receiver.statuses == ["pending"]


async def test_what_is_over_cannot_be_declined(desk: Desk) -> None:
    await desk.paid()

    assert (await desk.post(f"/wallet/{ID}/decline")).status_code == 409


async def test_waiting_counts_down_and_asks_again_by_itself(desk: Desk) -> None:
    await desk.charge()
    await desk.clock.advance(timedelta(minutes=14))

    page = await desk.client.get(f"/wallet/{ID}?wait=1")

    assert page.headers["refresh"] == "5"
    assert "<dd>59 s</dd>" in page.text
    assert f'href="/wallet/{ID}"' in page.text
    assert "<form" not in page.text

    await desk.clock.advance(timedelta(minutes=1))
    over = await desk.client.get(f"/wallet/{ID}?wait=1")
    assert "Expired" in over.text
    assert "refresh" not in over.headers


@pytest.mark.parametrize("payment_type", ["gopay", "qris"])
async def test_a_scanned_code_opens_its_transaction_to_be_paid_by_qr(desk: Desk, payment_type: str) -> None:
    await desk.charge("o-0")
    charge = (await desk.charge(payment_type=payment_type)).json()
    codes = [action["url"] for action in charge["actions"] if action["name"].startswith("generate-qr")]
    codes += [f" {charge['qr_string']} "] if payment_type == "qris" else []

    for code in codes:
        answer = await desk.client.get("/wallet", params={"qr": code})
        assert answer.headers["location"] == f"/wallet/{charge['transaction_id']}?by=qr"

    page = await desk.client.get(f"/wallet/{charge['transaction_id']}?by=qr")
    assert page.text.count('value="qr"') == 1
    assert "deeplink" not in page.text


@pytest.mark.parametrize("qr", ["nonsense", "http://midtrans.test/v2/qris/nobody/qr-code", '"><script>'])
async def test_a_code_that_is_nobodys_is_asked_for_again(desk: Desk, qr: str) -> None:
    asked = await desk.client.get("/wallet")
    page = await desk.client.get("/wallet", params={"qr": qr})

    assert "No transaction" not in asked.text
    assert "No transaction has this code" in page.text
    assert "<script>" not in page.text


async def test_the_style_is_served_here(desk: Desk) -> None:
    await desk.charge()
    page = await desk.client.get(f"/wallet/{ID}")

    style = await desk.client.get("/simulator/style.css")

    assert 'href="/simulator/style.css"' in page.text
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert style.headers["content-type"].startswith("text/css")


async def test_a_wallet_of_another_house_can_scan_the_code(desk: Desk) -> None:
    await desk.charge(payment_type="qris")

    await desk.post(f"/wallet/{ID}/pay", json={"by": "qr", "issuer": "dana"})

    for told in (await desk.status("o-1"), desk.receiver.bodies[-1]):
        assert (told["issuer"], told["acquirer"], told["transaction_type"]) == ("dana", "gopay", "off-us")
        assert "merchant_cross_reference_id" not in told


async def test_shopees_codes_have_references_of_their_own(desk: Desk) -> None:
    await desk.charge(payment_type="qris", qris={"acquirer": "airpay shopee"})
    pending = desk.receiver.bodies[-1]
    await desk.post(f"/wallet/{ID}/pay")
    paid = desk.receiver.bodies[-1]

    assert (pending["transaction_type"], paid["transaction_type"]) == ("off-us", "on-us")
    assert pending["reference_id"] == paid["reference_id"] == (await desk.status("o-1"))["reference_id"]
    assert "shopeepay_reference_number" not in pending
    assert paid["shopeepay_reference_number"].isdigit()


async def test_the_way_of_paying_is_told_while_it_is_paid_or_refunded(desk: Desk) -> None:
    await desk.paid("o-1")
    await desk.paid("o-2")
    await desk.post("/simulator/transactions/o-1/chargeback")
    await desk.refund("o-2")

    assert "payment_option_type" not in await desk.status("o-1")
    assert (await desk.status("o-2"))["payment_option_type"] == "GOPAY_WALLET"
