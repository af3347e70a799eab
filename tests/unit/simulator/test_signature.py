import pytest

from simulator.core.signature import signature_key


@pytest.mark.parametrize(
    ("order_id", "status_code", "gross_amount", "beginning"),
    [
        (
            "ORDER-sandbox-0001",
            "200",
            "150000.00",
            "d65b4adf15335095fe1bfafe24964d48009dcc2989393e13",
        ),
        (
            "ORDER-sandbox-0002",
            "201",
            "75000.00",
            "db70270f6c27da2b564d4fffd9df3eeae578a7afba22bf5e",
        ),
        (
            "ORDER-sandbox-0003",
            "202",
            "50000.00",
            "a51d1bd2aa8b1dca9228f3827cd641b6dadf52ebb9ed40fb",
        ),
        (
            "ORDER-sandbox-0003",
            "407",
            "50000.00",
            "3bf73d2d28bd2bc4e1d49d2291f0d8e5b6b14c7c44769936",
        ),
    ],
)
def test_it_signs_like_the_fixtures_of_midtrans(
    order_id: str, status_code: str, gross_amount: str, beginning: str
) -> None:
    signature = signature_key(
        order_id=order_id,
        status_code=status_code,
        gross_amount=gross_amount,
        server_key="SB-Mid-server-test",
    )

    assert len(signature) == 128
    assert signature.startswith(beginning)
