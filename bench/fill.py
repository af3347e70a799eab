"""Fill a migrated, empty database with years of a shop's payments, as the service would have left them.

Everything is made inside Postgres: each payment with its whole evidence log, whose chains `bayar verify` finds
whole, and the last weeks of notifications and Idempotency-Keys. The indexes and constraints of the migrations
are taken away and made again:

    .venv/bin/python bench/fill.py postgresql://bayar@/bayar?host=/tmp/pg --payments 1000000

Payments are so many seconds apart and the newest was made just now. Open ones, for notifications to come, are
the newest and as many more that lie strewn among the others.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from progress import Progress

SERVER_KEY: Final = "SB-Mid-server-benchmark"
SECONDS_APART: Final = 9
OPEN: Final = 20_000
NOTIFIED_DAYS: Final = 90
USERS: Final = 1_000
TABLES: Final = (
    "payment_transactions",
    "payment_events",
    "payment_webhook_events",
    "payment_idempotency_keys",
)
AT_ONCE: Final = 50_000

# Of a thousand that are over: what became of them.
_STATUS: Final = """
CASE WHEN is_open THEN 'pending' WHEN lot < 730 THEN 'settlement' WHEN lot < 930 THEN 'expire'
     WHEN lot < 955 THEN 'cancel' WHEN lot < 965 THEN 'deny' WHEN lot < 975 THEN 'failure'
     WHEN lot < 990 THEN 'refund' WHEN lot < 999 THEN 'partial_refund' ELSE 'chargeback' END
"""
_UTC: Final = "to_char(({}) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS{}\"+00:00\"')"
_JAKARTA: Final = "to_char(({}) AT TIME ZONE 'Asia/Jakarta', 'YYYY-MM-DD HH24:MI:SS')"


def _entry(number: int, *, at: str, what: str, source: str, status: str, detail: str) -> str:
    """The text that an entry's digest covers, as `domain/history.py` has it."""
    return (
        f"convert_to('[1,\"' || id || '\",{number},\"' || {_UTC.format(at, '.US')} || '\",\"' || {what} || '\",'"
        f" || '\"{source}\",\"' || {status} || '\",' || {detail} || ']', 'UTF8')"
    )


# One payment and all that was ever said of it, in steps; OFFSET 0 keeps each from being worked out twice.
_SHAPE: Final = f"""
  FROM generate_series($1::int, $2::int) AS n
 CROSS JOIN LATERAL (
   SELECT md5('bayar-' || n) AS hash, md5('more-' || n) AS more,
          date_trunc('second', $3::timestamptz) - ($4::int - n) * interval '{SECONDS_APART} seconds'
            + interval '1 microsecond' * (100001 + n % 800000) AS made,
          n > $4::int - $5::int OR n % greatest($4::int / greatest($5::int, 1), 2) = 0 AS is_open
   OFFSET 0) AS a
 CROSS JOIN LATERAL (
   SELECT ('x' || substr(hash, 1, 4))::bit(16)::int % 1000 AS lot,
          CASE WHEN ('x' || substr(hash, 5, 2))::bit(8)::int < 160 THEN 'gopay' ELSE 'qris' END AS payment_type,
          5000 + 500 * (('x' || substr(hash, 7, 4))::bit(16)::int % 400) AS amount,
          CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n / 2 % {USERS - 1} END AS user_id,
          (substr(lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0'), 1, 12)
            || '7' || substr(hash, 11, 3) || '8' || substr(hash, 14, 3) || substr(hash, 17, 12))::uuid AS id,
          CASE WHEN n % 2 = 0 THEN 'bench-' || n
               ELSE 'byr-' || translate(substr(hash || more, 4, 26), 'ilou', 'wxyz') END AS order_id,
          (substr(more, 1, 12) || '4' || substr(more, 14, 3) || 'a' || substr(more, 18))::uuid::text AS tx,
          made + interval '400 milliseconds' AS charged_at,
          made + interval '45 seconds' + interval '1 second' * (n % 600) AS ended_at,
          CASE WHEN is_open THEN date_trunc('second', $3::timestamptz) + interval '7 days'
               ELSE date_trunc('second', made) + interval '15 minutes' END AS expires_at
   OFFSET 0) AS b
 CROSS JOIN LATERAL (
   SELECT {_STATUS} AS status, {_JAKARTA.format("made")} AS made_text, {_JAKARTA.format("ended_at")} AS ended_text
   OFFSET 0) AS c
 CROSS JOIN LATERAL (
   SELECT CASE status WHEN 'pending' THEN 2 WHEN 'failure' THEN 2
                      WHEN 'refund' THEN 4 WHEN 'partial_refund' THEN 4 WHEN 'chargeback' THEN 4 ELSE 3 END AS entries,
          CASE WHEN status IN ('refund', 'partial_refund', 'chargeback') THEN 'settlement' ELSE status END AS ended_as,
          CASE status WHEN 'refund' THEN amount WHEN 'partial_refund' THEN amount / 2 ELSE 0 END AS refunded,
          CASE WHEN status = 'failure'
               THEN '{{"status_code":"402","status_message":"Payment channel is not activated.","id":"' || tx || '"}}'
               ELSE '{{"status_code":"201","status_message":"'
                 || CASE payment_type WHEN 'gopay' THEN 'GoPay' ELSE 'QRIS' END || ' transaction is created","transaction_id":"'
                 || tx || '","order_id":"' || order_id || '","merchant_id":"G123456789","gross_amount":"' || amount
                 || '.00","currency":"IDR","payment_type":"' || payment_type || '","transaction_time":"' || made_text
                 || '","transaction_status":"pending","fraud_status":"accept","actions":['
                 || CASE payment_type WHEN 'gopay' THEN
                      '{{"name":"generate-qr-code","method":"GET","url":"https://api.midtrans.com/v2/gopay/' || tx
                      || '/qr-code"}},{{"name":"generate-qr-code-v2","method":"GET","url":"https://api.midtrans.com/v4/qris/gopay/A1'
                      || substr(more, 1, 26) || '/qr-code"}},{{"name":"deeplink-redirect","method":"GET","url":"https://gopay.co.id/app/payment?tref='
                      || substr(more, 3, 24) || '"}},{{"name":"get-status","method":"GET","url":"https://api.midtrans.com/v2/' || tx
                      || '/status"}},{{"name":"cancel","method":"POST","url":"https://api.midtrans.com/v2/' || tx || '/cancel"}}]'
                    ELSE
                      '{{"name":"generate-qr-code","method":"GET","url":"https://api.midtrans.com/v2/qris/' || tx
                      || '/qr-code"}}],"acquirer":"gopay","qr_string":"00020101021226620014COM.GO-JEK.WWW011993600914'
                      || substr(hash, 1, 11) || '0210G9876543210303UKE51440014ID.CO.QRIS.WWW0215AID' || substr(hash, 8, 12)
                      || '0303UKE5204899953033605802ID5911Shop Jakarta6007Jakarta61051234062' || substr(more, 2, 34) || '6304A1B2"' END
                 || ',"expiry_time":"' || {_JAKARTA.format("expires_at")} || '"}}' END AS answer,
          CASE WHEN status IN ('failure', 'pending', 'expire') THEN '407' WHEN status IN ('cancel', 'deny') THEN '202' ELSE '200' END AS code
   OFFSET 0) AS d
 CROSS JOIN LATERAL (
   SELECT encode(sha512(convert_to(order_id || '201' || amount || '.00{SERVER_KEY}', 'UTF8')), 'hex') AS pending_key,
          encode(sha512(convert_to(order_id || code || amount || '.00{SERVER_KEY}', 'UTF8')), 'hex') AS ended_key
   OFFSET 0) AS e
 CROSS JOIN LATERAL (
   SELECT '{{"transaction_time":"' || made_text || '","transaction_status":"' || ended_as || '","transaction_id":"' || tx
          || '","status_message":"midtrans payment notification","status_code":"' || code || '","signature_key":"' || ended_key
          || CASE ended_as WHEN 'settlement' THEN '","settlement_time":"' || ended_text ELSE '' END
          || '","payment_type":"' || payment_type || '","order_id":"' || order_id
          || '","merchant_id":"G123456789","gross_amount":"' || amount || '.00","fraud_status":"accept","expiry_time":"'
          || {_JAKARTA.format("expires_at")} || '","currency":"IDR"}}' AS notice
   OFFSET 0) AS f
 CROSS JOIN LATERAL (
   SELECT '{{"expires_at":"' || {_UTC.format("expires_at", "")} || '","gross_amount":' || amount || ',"order_id":"' || order_id
          || '","payment_type":"' || payment_type || '"}}' AS detail_1,
          '{{"evidence":"' || encode(sha256(convert_to(answer, 'UTF8')), 'hex') || '","from":"created"'
          || CASE status WHEN 'failure' THEN '' ELSE ',"transaction_id":"' || tx || '"' END || '}}' AS detail_2,
          '{{"evidence":"' || encode(sha256(convert_to(notice, 'UTF8')), 'hex') || '","from":"pending"'
          || CASE ended_as WHEN 'settlement' THEN ',"paid_at":"' || {_UTC.format("date_trunc('second', ended_at)", "")} || '"' ELSE '' END
          || '}}' AS detail_3,
          '{{"evidence":"' || encode(sha256(convert_to(notice, 'UTF8')), 'hex') || '","from":"settlement"'
          || CASE WHEN refunded > 0 THEN ',"refunded_amount":' || refunded ELSE '' END || '}}' AS detail_4,
          CASE status WHEN 'failure' THEN 'failure' ELSE 'pending' END AS second
   OFFSET 0) AS g
 CROSS JOIN LATERAL (
   SELECT sha256({_entry(1, at="date_trunc('second', made) + interval '1 microsecond'", what="'created'", source="shop", status="'created'", detail="detail_1")}) AS digest_1
   OFFSET 0) AS h
 CROSS JOIN LATERAL (
   SELECT sha256(digest_1 || {_entry(2, at="charged_at", what="second", source="charge", status="second", detail="detail_2")}) AS digest_2
   OFFSET 0) AS i
 CROSS JOIN LATERAL (
   SELECT CASE WHEN entries > 2 THEN sha256(digest_2 || {_entry(3, at="ended_at", what="ended_as", source="notification", status="ended_as", detail="detail_3")}) END AS digest_3
   OFFSET 0) AS j
 CROSS JOIN LATERAL (
   SELECT CASE WHEN entries > 3 THEN sha256(digest_3 || {_entry(4, at="ended_at + interval '2 days'", what="status", source="status reply", status="status", detail="detail_4")}) END AS digest_4
   OFFSET 0) AS k
"""

_PAYMENTS: Final = f"""
INSERT INTO payment_transactions (
  id, user_id, order_id, gross_amount, payment_type, status, midtrans_transaction_id, midtrans_response_json,
  created_at, updated_at, paid_at, expires_at, refunded_amount, log_length, log_head, charged_first_at,
  charged_last_at, due_at, checkout_token)
SELECT id, user_id, order_id, amount, payment_type, status,
       CASE WHEN status <> 'failure' THEN tx END,
       CASE WHEN status <> 'failure' THEN answer::jsonb END,
       date_trunc('second', made), CASE WHEN entries < 3 THEN charged_at ELSE ended_at END,
       CASE ended_as WHEN 'settlement' THEN date_trunc('second', ended_at) END, expires_at, refunded, entries,
       coalesce(digest_4, digest_3, digest_2), made, made,
       CASE WHEN status = 'pending' THEN $3::timestamptz + interval '1 day' + interval '1 second' * (n % 86400)
            WHEN ended_as IN ('expire', 'cancel', 'deny') AND made > $3::timestamptz - interval '7 days'
            THEN $3::timestamptz + interval '1 day' + interval '1 second' * (n % 86400) END,
       substr(hash, 1, 16) || substr(more, 5, 16)
{_SHAPE}
"""

_LOG: Final = f"""
INSERT INTO payment_events (payment_id, seq, recorded_at, what, source, status, detail, digest, evidence)
SELECT id, entry.seq, entry.at, entry.what, entry.source, entry.status, entry.detail::jsonb, entry.digest,
       convert_to(entry.evidence, 'UTF8')
{_SHAPE}
 CROSS JOIN LATERAL (VALUES
   (1, date_trunc('second', made) + interval '1 microsecond', 'created', 'shop', 'created', detail_1, digest_1, NULL),
   (2, charged_at, second, 'charge', second, detail_2, digest_2, answer),
   (3, ended_at, ended_as, 'notification', ended_as, detail_3, digest_3, notice),
   (4, ended_at + interval '2 days', status, 'status reply', status, detail_4, digest_4, notice))
   AS entry (seq, at, what, source, status, detail, digest, evidence)
 WHERE entry.seq <= entries
"""

# That the charge is pending is told as well, and told nothing new. One of a thousand was set aside.
_NOTIFICATIONS: Final = f"""
INSERT INTO payment_webhook_events (
  id, received_at, order_id, midtrans_transaction_id, raw_body, signature_key, is_verified, processed,
  processing_error)
SELECT gen_random_uuid(), told.at AT TIME ZONE 'UTC', order_id, tx, told.body::jsonb, told.key, true, lot <> 500,
       CASE WHEN lot = 500 THEN 'The amount is not the payment''s.' END
{_SHAPE}
 CROSS JOIN LATERAL (VALUES
   (2, charged_at + interval '1 second', pending_key,
    replace(replace(notice, ended_key, pending_key), '"' || ended_as || '"', '"pending"')),
   (3, ended_at, ended_key, notice))
   AS told (seq, at, key, body)
 WHERE told.seq <= entries AND status <> 'failure'
"""

_KEYS: Final = f"""
INSERT INTO payment_idempotency_keys (
  user_id, key, fingerprint, payment_id, created_at, leased_until, lease, finished)
SELECT user_id, order_id, sha256(convert_to(order_id, 'UTF8')), id, made, made + interval '1 second', id, true
{_SHAPE}
"""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An index or a constraint of the migrations, to be made again as it was."""

    table: str
    name: str
    make: str
    drop: str


@dataclass(frozen=True, kw_only=True)
class Shop:
    """How large a shop, and since when."""

    payments: int
    open: int = OPEN
    notified_days: int = NOTIFIED_DAYS

    def since(self, days: float) -> int:
        """The number of the first payment of so many last days."""
        return max(1, self.payments - round(days * 86_400 / SECONDS_APART) + 1)


async def fill(url: str, shop: Shop, *, show: Callable[[str, float], None] = lambda _what, _part: None) -> None:
    """All of it; ``show`` is told of each step and how much of it is done."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT count(*) FROM payment_transactions"):
            sys.exit("The database has payments already: fill an empty one.")
        await connection.execute(
            f"INSERT INTO users (id) SELECT n FROM generate_series(1, {USERS}) n ON CONFLICT DO NOTHING"
        )
        kept = await _kept(connection)
        for one in kept:
            await connection.execute(one.drop)
        now = await connection.fetchval("SELECT now()")
        steps = (
            ("payments", "payment_transactions", _PAYMENTS, 1),
            ("evidence log", "payment_events", _LOG, 1),
            ("notifications", "payment_webhook_events", _NOTIFICATIONS, shop.since(shop.notified_days)),
            ("idempotency keys", "payment_idempotency_keys", _KEYS, shop.since(3)),
        )
        done: dict[str, float] = {}

        def tell(what: str, part: float) -> None:
            done[what] = part
            show("rows", sum(done.get(name, 0.0) for name, *_ in steps) / len(steps))

        await asyncio.gather(
            *(_rows(url, table, statement, now, shop, first, what, tell) for what, table, statement, first in steps)
        )
        for place, one in enumerate(reversed(kept)):
            show("indexes", place / len(kept))
            await connection.execute("SET maintenance_work_mem = '1GB'")
            await connection.execute(one.make)
        if sorted(one.make for one in await _kept(connection)) != sorted(one.make for one in kept):
            sys.exit("The indexes are not what the migrations made.")
        show("indexes", 1)
        for place, table in enumerate(TABLES):
            show("vacuum", place / len(TABLES))
            await connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}")
        await connection.execute("ANALYZE users")
        show("vacuum", 1)
    finally:
        await connection.close()


async def _rows(
    url: str, table: str, statement: str, now: Any, shop: Shop, first: int, what: str, tell: Callable[[str, float], None]
) -> None:
    """One table, in one transaction that empties it first: with wal_level=minimal that writes no log of it."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL timezone = 'UTC'")
            await connection.execute("SET LOCAL synchronous_commit = off")
            await connection.execute(f"TRUNCATE {table}")
            for start in range(first, shop.payments + 1, AT_ONCE):
                end = min(start + AT_ONCE - 1, shop.payments)
                await connection.execute(statement, start, end, now, shop.payments, shop.open)
                tell(what, (end - first + 1) / (shop.payments - first + 1))
    finally:
        await connection.close()


async def _kept(connection: "asyncpg.Connection[Any]") -> Sequence[Kept]:
    """In the order to drop them: what leans on others first."""
    constraints = await connection.fetch(
        """
        SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS make
          FROM pg_constraint
         WHERE contype IN ('f', 'p', 'u')
           AND (conrelid::regclass::text = ANY ($1) OR confrelid::regclass::text = ANY ($1))
         ORDER BY contype = 'p', contype = 'u', 1, 2
        """,
        list(TABLES),
    )
    indexes = await connection.fetch(
        """
        SELECT indrelid::regclass::text AS table, indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS make
          FROM pg_index i
         WHERE indrelid::regclass::text = ANY ($1)
           AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND contype IN ('p', 'u'))
         ORDER BY 1, 2
        """,
        list(TABLES),
    )
    leaning = [row for row in constraints if row["make"].startswith("FOREIGN KEY")]
    unique = [row for row in constraints if row not in leaning]
    return [
        *(_constraint(row) for row in leaning),
        *(
            Kept(table=row["table"], name=row["name"], make=row["make"], drop=f"DROP INDEX {row['name']}")
            for row in indexes
        ),
        *(_constraint(row) for row in unique),
    ]


def _constraint(row: Any) -> Kept:
    return Kept(
        table=row["table"],
        name=row["name"],
        make=f"ALTER TABLE {row['table']} ADD CONSTRAINT {row['name']} {row['make']}",
        drop=f"ALTER TABLE {row['table']} DROP CONSTRAINT {row['name']}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of a migrated, empty database; its server should be told not to wait for the disk")
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=OPEN, help="the newest so many, and as many others, are pending")
    parser.add_argument("--notified-days", type=int, default=NOTIFIED_DAYS, help="notifications of so many last days")
    wanted = parser.parse_args()
    started = time.perf_counter()
    with Progress() as progress:
        shop = Shop(payments=wanted.payments, open=wanted.open, notified_days=wanted.notified_days)
        asyncio.run(fill(wanted.url, shop, show=progress.show))
    print(f"{wanted.payments} payments in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
