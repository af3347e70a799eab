"""Midtrans's recorded bytes, read by the real adapter, keep the promises of the gateway port."""

import pytest

from support.contracts.gateway import PaymentGatewayContract, Situation
from support.situations import RecordedMidtrans


class TestMidtransGateway(PaymentGatewayContract):
    @pytest.fixture
    def midtrans(self) -> Situation:
        return RecordedMidtrans()
