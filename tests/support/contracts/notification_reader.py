"""What every reader of the stored notifications promises, whatever they are kept in."""

import json
from datetime import timedelta

import pytest

from domain.ports.notification_reader import InboxPlace, KeptNotification, Kind, NotificationReader, Standing
from domain.ports.work import UnitOfWork
from support.builders import MINUTE, NOW, a_forged, a_received, an_id


def ids(*names: str) -> list[object]:
    return [an_id(name) for name in names]


async def seen(
    reader: NotificationReader, kind: Kind = Kind.ANY, order_id: str | None = None
) -> list[object]:
    return [kept.id for kept in await reader.page(kind, order_id=order_id, after=None, limit=100)]


class NotificationReaderContract:
    """Override both fixtures; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def inbox_reader(self) -> NotificationReader:
        raise NotImplementedError

    @pytest.fixture
    async def one_of_each(self, begin: UnitOfWork) -> None:
        """Of every standing one, a minute apart, oldest first."""
        async with begin() as work:
            await work.notifications.add(a_received("done", processed=True))
            await work.notifications.add(a_received("to do", received_at=NOW + MINUTE))
            await work.notifications.add(a_received("aside", received_at=NOW + 2 * MINUTE, error="why"))
            await work.notifications.add_forged(a_forged("forged", received_at=NOW + 3 * MINUTE))

    async def test_a_stored_one_is_found_whole(
        self, begin: UnitOfWork, inbox_reader: NotificationReader
    ) -> None:
        received = a_received(received_at=NOW + timedelta(microseconds=123456), error="why")
        async with begin() as work:
            await work.notifications.add(received)

        found = await inbox_reader.find(received.id)

        assert found is not None
        assert found.kept == KeptNotification(
            id=received.id,
            received_at=received.received_at,
            order_id="order-1",
            transaction_id="t-1",
            transaction_status="settlement",
            is_verified=True,
            processed=False,
            error="why",
            forged=False,
            attempts=0,
            repeats=0,
        )
        assert json.loads(found.body) == json.loads(received.body)
        assert found.signature_key == "5" * 128

    async def test_neither_body_nor_signature_is_shown_by_accident(
        self, begin: UnitOfWork, inbox_reader: NotificationReader
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received())

        found = await inbox_reader.find(an_id("event"))

        assert "5555" not in repr(found)
        assert "body" not in repr(found)

    async def test_what_is_not_there_is_not_found(self, inbox_reader: NotificationReader) -> None:
        assert await inbox_reader.find(an_id("missing")) is None

    @pytest.mark.usefixtures("one_of_each")
    async def test_all_are_listed_newest_first(self, inbox_reader: NotificationReader) -> None:
        page = await inbox_reader.page(Kind.ANY, order_id=None, after=None, limit=100)

        assert [kept.id for kept in page] == ids("forged", "aside", "to do", "done")
        assert [kept.standing for kept in page] == [
            Standing.FORGED, Standing.SET_ASIDE, Standing.TO_DO, Standing.PROCESSED,
        ]  # fmt: skip

    @pytest.mark.usefixtures("one_of_each")
    async def test_those_of_one_kind_are_listed_alone(self, inbox_reader: NotificationReader) -> None:
        assert await seen(inbox_reader, Kind.FAILED) == ids("aside")
        assert await seen(inbox_reader, Kind.FORGED) == ids("forged")
        assert await seen(inbox_reader, Kind.NOT_FORGED) == ids("aside", "to do", "done")

    @pytest.mark.parametrize("kind", list(Kind))
    async def test_those_of_one_order_are_listed_alone(
        self, begin: UnitOfWork, inbox_reader: NotificationReader, kind: Kind
    ) -> None:
        for order_id in ("mine", "other"):
            async with begin() as work:
                await work.notifications.add(a_received(f"{order_id} aside", order_id=order_id, error="why"))
                await work.notifications.add_forged(a_forged(f"{order_id} forged", order_id=order_id))
        everything = set(await seen(inbox_reader, kind))

        of_one = await seen(inbox_reader, kind, "mine")

        assert set(of_one) == everything & set(ids("mine aside", "mine forged"))
        assert of_one

    @pytest.mark.parametrize("order_id", ["nobody's", "", "a\0b", "\ud800", "a" * 300])
    @pytest.mark.usefixtures("one_of_each")
    async def test_an_order_without_any_has_an_empty_list(
        self, inbox_reader: NotificationReader, order_id: str
    ) -> None:
        assert await seen(inbox_reader, order_id=order_id) == []

    @pytest.mark.parametrize("kind", [Kind.ANY, Kind.FAILED, Kind.NOT_FORGED])
    @pytest.mark.parametrize("order_id", [None, "order-1"])
    async def test_pages_follow_each_other_without_a_gap_or_a_repeat(
        self, begin: UnitOfWork, inbox_reader: NotificationReader, kind: Kind, order_id: str | None
    ) -> None:
        async with begin() as work:
            for number in range(7):  # two of them at the very same instant
                at = NOW + timedelta(microseconds=number // 2)
                await work.notifications.add(a_received(f"{number}", received_at=at, error="why"))

        pages, after = [], None
        while page := await inbox_reader.page(kind, order_id=order_id, after=after, limit=3):
            pages.append([kept.id for kept in page])
            after = InboxPlace(received_at=page[-1].received_at, id=page[-1].id)

        assert [len(page) for page in pages] == [3, 3, 1]
        assert [kept for page in pages for kept in page] == await seen(inbox_reader, kind)

    async def test_forged_ones_are_paged_too(
        self, begin: UnitOfWork, inbox_reader: NotificationReader
    ) -> None:
        async with begin() as work:
            for number in range(4):
                await work.notifications.add_forged(a_forged(f"{number}"))

        (first, *_) = page = await inbox_reader.page(Kind.FORGED, order_id=None, after=None, limit=1)
        place = InboxPlace(received_at=first.received_at, id=first.id)
        page += await inbox_reader.page(Kind.FORGED, order_id=None, after=place, limit=9)

        assert [kept.id for kept in page] == await seen(inbox_reader, Kind.FORGED)
        assert len(page) == 4
