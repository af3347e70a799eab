"""A server of its own: what is thrown at the service is thrown at nobody else's data."""

from collections.abc import Iterator

import pytest

from support.database import Databases, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Databases]:
    with serving(None) as url:
        yield Databases(url)
