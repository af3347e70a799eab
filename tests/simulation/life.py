"""One life: a world from a seed, what happens in it, and what the laws say of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulation.adopted import adopt
from simulation.courier import Courier
from simulation.customers import Customers
from simulation.database import SimulatedDatabase
from simulation.fate import Fate, Fault
from simulation.front import Front
from simulation.law import Law
from simulation.laws.answers import Answers
from simulation.laws.asking import Asking
from simulation.laws.charging import Charging
from simulation.laws.history import History
from simulation.laws.refunding import Refunding
from simulation.laws.telling import Telling
from simulation.laws.truth import Truth
from simulation.line import Network
from simulation.merchant import Backend
from simulation.midtrans import Midtrans, Transaction
from simulation.others import Others
from simulation.process import Ground, Process
from simulation.scene import Scene
from simulation.shop import Purchase, Shop, a_purchase
from simulation.virtual_loop import TooManySteps
from simulation.weather import FIRST_KEY, Weather
from simulation.world import Finding, World
from support.fakes import CountingIdentifiers, InMemoryCreateRate

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAYS: Final = 8 * 24 * _HOUR
_USERS: Final = (1, 2)
_CREATES_A_MINUTE: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one life: ``seconds`` by its own time, in so many ``steps``, ``stormy`` of them."""

    seed: int
    findings: tuple[Finding, ...]
    faults: Counter[Fault]
    payments: Counter[str]
    steps: int
    stormy: int
    seconds: float
    trace: list[str]


def live(seed: int, *, faulty: bool = True, crash_at: float | None = None, traced: bool = False) -> Outcome:
    """Live the life of this seed, and judge it.

    Without faults nothing goes wrong in it. With ``crash_at`` the machines are fine all the time, but for the
    process that makes that step of the life: it dies after it.
    """
    fate = Fate(seed, faulty=faulty)
    world = World(fate, traced=traced)
    scene, shop, customers = _made(world, crash_at)
    refunding = Refunding(scene)
    coming_to_rest = (Truth(scene), refunding, Telling(scene))
    laws = (History(scene), Charging(scene), *coming_to_rest)
    Answers(scene), Asking(scene)
    scene.weather.begin()
    for number in range(1, fate.one_of((1, 1, 2, 3)) + 1):
        _order(scene, shop, a_purchase(fate, number))
    if fate.chance(0.1):
        customers.come(adopt(scene.database, scene.midtrans, fate))
    try:
        _pass(scene, lambda: all(law.is_at_rest() for law in coming_to_rest))
        _pass_days(scene, refunding.is_at_rest)
    except TooManySteps:
        world.broke(Law.COMES_TO_REST, f"{world.loop.steps} steps")
    else:
        for law in laws:
            law.judge()
    return Outcome(
        seed=seed,
        findings=tuple(world.findings),
        faults=fate.struck,
        payments=Counter(str(payment.status) for payment in scene.database.state.payments.values()),
        steps=world.loop.steps,
        stormy=scene.weather.stormy_steps,
        seconds=world.time,
        trace=world.lines,
    )


def _made(world: World, crash_at: float | None) -> tuple[Scene, Shop, Customers]:
    fate = world.fate
    database = SimulatedDatabase(world, users=_USERS, ask_rate=fate.one_of((20.0, 1.0)))
    midtrans = Midtrans(time=world.loop.time, server_key=FIRST_KEY)
    network = Network(world, midtrans)
    ground = Ground(
        world=world,
        database=database,
        network=network,
        ids=CountingIdentifiers(),
        rate=InMemoryCreateRate(clock=world.clock, per_minute=_CREATES_A_MINUTE),  # type: ignore[arg-type]
        backend=Backend(world, database),
        confirm="always" if fate.chance(0.15) else "doubtful",
    )
    processes = [_process(ground, number) for number in range(1, fate.whole(1, 3) + 1)]
    front = Front(world, processes)
    courier = Courier(world, midtrans, front)
    others = Others(world, midtrans, courier)

    def tell(transaction: Transaction) -> None:
        world.tell("Midtrans", "{} ({}) is {}", transaction.id, transaction.order_id, transaction.status)

    midtrans.on_change += [tell, courier.tell, others.hear]
    weather = Weather(world, processes, database, network, crash_at=crash_at)
    scene = Scene(
        world=world,
        database=database,
        midtrans=midtrans,
        network=network,
        front=front,
        others=others,
        weather=weather,
        confirm=ground.confirm,
        backend=ground.backend,
    )
    if fate.chance(0.5):
        ground.backend.listen()
    customers = Customers(world, midtrans)
    return scene, Shop(world, front, customers), customers


def _process(ground: Ground, number: int) -> Process:
    """The first does everything; of the others some are an API alone, some background work alone."""
    fate = ground.world.fate
    kind = fate.one_of(("both", "both", "api", "worker")) if number > 1 else "both"
    return Process(ground, number, has_api=kind != "worker", has_worker=kind != "api")


def _order(scene: Scene, shop: Shop, purchase: Purchase) -> None:
    fate, wanted = scene.world.fate, purchase.wanted
    shop.orders(purchase)
    if wanted.order_id is not None and wanted.gross_amount is not None and fate.strikes(Fault.STRANGER):
        after = fate.between(0, 30 * _MINUTE)
        scene.world.later(after, scene.others.charge_elsewhere, wanted.order_id, wanted.gross_amount)


def _pass(scene: Scene, is_at_rest: Callable[[], bool]) -> None:
    """Let time pass until nothing can change any more; in some lives for hours more, or for days."""
    loop, fate, storm = scene.world.loop, scene.world.fate, scene.weather.storm
    end, is_whole = storm + 12 * _HOUR, fate.chance(0.1)
    if fate.chance(0.03):
        end, is_whole = storm + _DAYS, True
    loop.run(storm + 10 * _MINUTE)
    while not loop.is_stopped and loop.time() < end and (is_whole or not is_at_rest()):
        loop.run(loop.time() + 10 * _MINUTE)


def _pass_days(scene: Scene, is_at_rest: Callable[[], bool]) -> None:
    """A refund that Midtrans refuses after a silence is asked for again for a week before it is given up."""
    loop, end = scene.world.loop, scene.weather.storm + _DAYS
    while not loop.is_stopped and loop.time() < end and not is_at_rest():
        loop.run(loop.time() + _HOUR)
