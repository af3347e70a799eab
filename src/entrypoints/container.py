"""The composition root: the only module that names an adapter for each port."""

from collections.abc import Callable, Sequence

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable as Call
from dependency_injector.providers import Dependency, Factory, Object, Singleton

from adapters.merchant.client import create_http as create_merchant_http
from adapters.merchant.merchant import HttpMerchant
from adapters.midtrans.client import MidtransClient, create_transport
from adapters.midtrans.gateway import MidtransGateway
from adapters.outside.webhook_probe import HttpxWebhookProbe
from adapters.postgres.checkouts import PostgresCheckouts, PostgresPaymentChanges
from adapters.postgres.create_rate import PostgresCreateRate
from adapters.postgres.evidence_log import PostgresEvidenceLog
from adapters.postgres.health import PostgresHealth
from adapters.postgres.notification_reader import PostgresNotificationReader
from adapters.postgres.payments import PostgresPaymentReader
from adapters.postgres.pool import BACKGROUND_ACQUIRE_SECONDS, CREATE_ACQUIRE_SECONDS, Share, create_pool
from adapters.postgres.retention import PostgresPruner
from adapters.postgres.work import PostgresUnitOfWork
from adapters.system.chance import SystemChance
from adapters.system.clock import SystemClock
from adapters.system.identifiers import SystemIdentifiers
from domain.history import Entry
from domain.order import Defaults
from domain.signature import ServerKeys
from domain.usecases.add_endpoint import AddEndpoint
from domain.usecases.attend_payment import AttendPayment
from domain.usecases.cancel_payment import CancelPayment
from domain.usecases.charge_payment import ChargePayment
from domain.usecases.confirm_notifications import ConfirmNotifications
from domain.usecases.create_payment import CreatePayment
from domain.usecases.deliver_events import Attempt, DeliverEvents
from domain.usecases.dismiss_notifications import DismissNotifications
from domain.usecases.follow_payment import FollowPayment
from domain.usecases.get_payment import GetPayment
from domain.usecases.list_deliveries import ListDeliveries
from domain.usecases.list_payments import ListPayments
from domain.usecases.list_refunds import ListRefunds
from domain.usecases.open_checkout import OpenCheckout
from domain.usecases.prune import Prune
from domain.usecases.read_timeline import ReadTimeline
from domain.usecases.receive_notification import ReceiveNotification
from domain.usecases.reconcile_payments import ReconcilePayments
from domain.usecases.refresh_payment import RefreshPayment
from domain.usecases.refund_payment import RefundPayment
from domain.usecases.repeat_refunds import RepeatRefunds
from domain.usecases.replay_notification import ReplayNotification
from domain.usecases.resend_event import ResendEvent
from domain.usecases.rotate_secret import RotateSecret
from domain.usecases.send_refund import SendRefund
from domain.usecases.verify_log import VerifyLog
from entrypoints.listening import streams_allowed
from entrypoints.migrations import versions
from entrypoints.settings import Settings
from entrypoints.telemetry.attempts import tell_attempt
from entrypoints.telemetry.observed import ObservedGateway, tell_changes
from entrypoints.watcher import Watcher


class Container(DeclarativeContainer):
    """Built inside the running loop; nothing in it is open before ``entrypoints.lifespan`` opens it."""

    settings = Dependency(instance_of=Settings)
    on_commit: Object[Callable[[Sequence[Entry]], None]] = Object(tell_changes)
    on_attempt: Object[Callable[[Attempt], None]] = Object(tell_attempt)
    pool_size = Object(16)
    background_pool_size = Object(8)

    clock = Singleton(SystemClock)
    ids = Singleton(SystemIdentifiers)
    chance = Singleton(SystemChance)

    connecting = Factory(
        create_pool, dsn=settings.provided.database_url, statements=settings.provided.statements_kept
    )
    pool = Singleton(connecting, size=pool_size)
    # However many call, notifications find connections; however many create, everybody else does.
    callers = Singleton(Share, pool=pool, part=0.75)
    creators = Singleton(Share, pool=callers, part=0.67)
    begin = Singleton(
        PostgresUnitOfWork, pool=callers, on_commit=on_commit, ask_rate=settings.provided.ask_rate
    )
    notified_begin = Singleton(
        PostgresUnitOfWork, pool=pool, on_commit=on_commit, ask_rate=settings.provided.ask_rate
    )
    create_begin = Singleton(
        PostgresUnitOfWork,
        pool=creators,
        on_commit=on_commit,
        ask_rate=settings.provided.ask_rate,
        patience=CREATE_ACQUIRE_SECONDS,
    )
    reader = Singleton(PostgresPaymentReader, pool=callers)
    inbox = Singleton(PostgresNotificationReader, pool=callers)
    # Apart from the callers': a crowd of payments that are due must not take their connections.
    background_pool = Singleton(connecting, size=background_pool_size)
    background_begin = Singleton(
        PostgresUnitOfWork,
        pool=background_pool,
        on_commit=on_commit,
        ask_rate=settings.provided.ask_rate,
        patience=BACKGROUND_ACQUIRE_SECONDS,
    )
    background_reader = Singleton(
        PostgresPaymentReader, pool=background_pool, patience=BACKGROUND_ACQUIRE_SECONDS
    )
    log = Singleton(PostgresEvidenceLog, pool=callers)
    pruner = Singleton(PostgresPruner, pool=background_pool)
    rate = Singleton(
        PostgresCreateRate,
        pool=creators,
        per_minute=settings.provided.create_rate,
        patience=CREATE_ACQUIRE_SECONDS,
    )
    health = Singleton(PostgresHealth, pool=pool, migrations=Call(versions))

    transport = Singleton(create_transport, connections=1000)
    midtrans = Singleton(
        MidtransGateway,
        client=Factory(
            MidtransClient,
            transport=transport,
            base_url=settings.provided.midtrans_url,
            server_key=settings.provided.server_key,
        ),
        clock=clock,
        notify_url=settings.provided.notify_url,
    )
    merchant = Singleton(
        HttpMerchant,
        public=Factory(create_merchant_http, allow_private=False, connections=100),
        anywhere=Factory(create_merchant_http, allow_private=True, connections=100),
    )
    gateway = Singleton(ObservedGateway, gateway=midtrans, clock=clock)
    webhook_probe = Singleton(HttpxWebhookProbe)

    create_payment = Singleton(
        CreatePayment,
        begin=create_begin,
        reader=reader,
        charge=Factory(ChargePayment, begin=create_begin, reader=reader, gateway=gateway, clock=clock),
        rate=rate,
        clock=clock,
        ids=ids,
        defaults=Factory(
            Defaults,
            amount=settings.provided.default_amount,
            payment_type=settings.provided.payment_type,
            life=settings.provided.life,
        ),
        auto_create_users=settings.provided.auto_create_users,
    )
    get_payment = Singleton(
        GetPayment, begin=begin, reader=reader, any_user=settings.provided.auto_create_users
    )
    refresh_payment = Singleton(RefreshPayment, begin=begin, get=get_payment, gateway=gateway, clock=clock)
    list_payments = Singleton(
        ListPayments, begin=begin, reader=reader, any_user=settings.provided.auto_create_users
    )
    read_timeline = Singleton(ReadTimeline, get=get_payment, reader=reader)
    server_keys = Factory(
        ServerKeys,
        current=settings.provided.server_key,
        previous=settings.provided.previous_server_key,
    )
    cancel_payment = Singleton(CancelPayment, begin=begin, get=get_payment, gateway=gateway, clock=clock)
    send_refund = Singleton(SendRefund, begin=begin, gateway=gateway, clock=clock)
    refund_payment = Singleton(
        RefundPayment, begin=begin, get=get_payment, send=send_refund, clock=clock, ids=ids
    )
    repeat_refunds = Singleton(
        RepeatRefunds,
        begin=background_begin,
        reader=background_reader,
        send=Factory(SendRefund, begin=background_begin, gateway=gateway, clock=clock),
        clock=clock,
    )
    list_refunds = Singleton(ListRefunds, begin=begin, get=get_payment)
    checkouts = Singleton(PostgresCheckouts, pool=callers)
    changes = Singleton(PostgresPaymentChanges, pool=callers)
    open_checkout = Singleton(OpenCheckout, checkouts=checkouts, clock=clock)
    follow_payment = Singleton(FollowPayment, reader=reader)
    watcher = Singleton(Watcher, changes=changes, most=Call(streams_allowed, settings.provided.max_streams))
    receive_notification = Singleton(
        ReceiveNotification,
        begin=notified_begin,
        ids=ids,
        keys=server_keys,
        confirm_always=settings.provided.confirm_always,
    )
    replay_notification = Singleton(
        ReplayNotification,
        begin=begin,
        reader=inbox,
        keys=server_keys,
        clock=clock,
        confirm_always=settings.provided.confirm_always,
    )
    dismiss_notifications = Singleton(DismissNotifications, begin=begin)
    verify_log = Singleton(VerifyLog, log=log)
    reconcile_payments = Singleton(
        ReconcilePayments, begin=background_begin, reader=background_reader, gateway=gateway, clock=clock
    )
    attend_payment = Singleton(AttendPayment, begin=begin, reader=reader, clock=clock)
    prune = Singleton(Prune, pruner=pruner)
    confirm_notifications = Singleton(
        ConfirmNotifications, begin=background_begin, reader=background_reader, gateway=gateway, clock=clock
    )
    deliver_events = Singleton(
        DeliverEvents, begin=background_begin, merchant=merchant, clock=clock, chance=chance, tell=on_attempt
    )
    add_endpoint = Singleton(AddEndpoint, begin=begin, clock=clock, ids=ids, chance=chance)
    rotate_secret = Singleton(RotateSecret, begin=begin, chance=chance)
    list_deliveries = Singleton(ListDeliveries, begin=begin, get=get_payment)
    resend_event = Singleton(ResendEvent, begin=begin, get=get_payment)
