import asyncio
import socket

import pytest


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, ("127.0.0.1", 9)), (socket.AF_INET6, ("::1", 9))],
)
def test_a_unit_test_cannot_open_a_connection(family: int, address: tuple[str, int]) -> None:
    with socket.socket(family) as opened, pytest.raises(AssertionError, match="connection to"):
        opened.connect(address)


async def test_the_event_loop_cannot_open_one_either() -> None:
    with pytest.raises(AssertionError, match="connection to"):
        await asyncio.open_connection("127.0.0.1", 9)


def test_a_socket_pair_still_works() -> None:
    one, other = socket.socketpair()

    with one, other:
        one.sendall(b"x")

        assert other.recv(1) == b"x"
