"""What befalls the machines: processes die, clocks jump, the database and Midtrans go away, keys change."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from simulation.database import IDLE_SECONDS, SimulatedDatabase
from simulation.fate import Fault
from simulation.line import Network
from simulation.process import Process
from simulation.virtual_loop import NEVER, Owner
from simulation.world import World

FIRST_KEY: Final = "SB-Mid-server-first"
_SECOND_KEY: Final = "SB-Mid-server-second"
_STORMS: Final = (10 * 60.0, 30 * 60.0, 90 * 60.0)
_FEW_STEPS: Final = (8, 60, 400)
_WHILES: Final = (0.5, 5.0, 45.0, 200.0)
_DOWN: Final = (0.1, 3.0, 20.0, 100.0)
_CHANCE: Final = 0.15

Happening = Callable[[float], Coroutine[Any, Any, None]]


class Weather:
    """Rough for ``storm`` seconds, and calm from then on; ``on_calm`` hear of it.

    With ``crash_at`` all that happens is that the process that makes that step of the life dies after it.
    """

    def __init__(
        self,
        world: World,
        processes: list[Process],
        database: SimulatedDatabase,
        network: Network,
        *,
        crash_at: float | None,
    ) -> None:
        self._world, self._fate, self._processes = world, world.fate, processes
        self._database, self._network = database, network
        self._key, self._previous_key = FIRST_KEY, None
        self._crash_at, self._crashes_left = crash_at, 0
        self.storm = self._fate.one_of(_STORMS)
        self.is_calm = False
        self.stormy_steps = 0
        self.on_calm: list[Callable[[], None]] = []

    def begin(self) -> None:
        fate, loop = self._fate, self._world.loop
        for process in self._processes:
            process.clock.ahead = fate.between(-2, 2)
            self._start(process)
        loop.on_step = self._crash
        if self._crash_at is not None:
            self._crashes_left, loop.stop_at = 1, self._crash_at
        elif fate.is_faulty:
            self._crashes_left = fate.one_of((0, 0, 1, 2, 4))
            loop.stop_at = self._next_crash()
            self._brew()
        self._world.later(self.storm, self._calm)

    def _brew(self) -> None:
        happenings: dict[Fault, Happening] = {
            Fault.RESTART: self._restart,
            Fault.PAUSE: self._pause,
            Fault.CLOCK_JUMP: self._jump,
            Fault.DATABASE_AWAY: self._lose_database,
            Fault.MIDTRANS_AWAY: self._lose_midtrans,
            Fault.KEY_CHANGED: self._change_key,
        }
        for fault, happen in happenings.items():
            if self._fate.chance(_CHANCE):
                for _ in range(self._fate.whole(1, 2)):
                    self._world.start("weather", self._sometime(fault, happen))

    async def _sometime(self, fault: Fault, happen: Happening) -> None:
        fate = self._fate
        await asyncio.sleep(fate.between(0, fate.one_of((0.0, 300.0, self.storm))))
        if not self.is_calm:
            fate.struck[fault] += 1
            await happen(fate.one_of(_WHILES))

    def _start(self, process: Process) -> None:
        if not process.is_up:
            process.start(server_key=self._key, previous_key=self._previous_key)

    def _next_crash(self) -> float:
        if self._crashes_left == 0:
            return NEVER
        return self._world.loop.steps + self._fate.whole(1, self._fate.one_of(_FEW_STEPS))

    def _crash(self, owner: Owner) -> float:
        """Kill the process whose step this was; steps of others are let go by."""
        victim = next((one for one in self._processes if one.owner is owner and one.is_up), None)
        if victim is None:
            return self._world.loop.steps + 1
        self._crashes_left -= 1
        self._fate.struck[Fault.CRASH] += 1
        self._world.tell(victim.name, "CRASHES")
        victim.crash()
        self._world.later(self._fate.one_of(_DOWN), self._start, victim)
        return self._next_crash()

    async def _restart(self, seconds: float) -> None:
        """A new release: each process drains and comes back, one after the other."""
        for process in self._processes:
            if process.is_up and not process.is_stopping and not self.is_calm:
                self._world.tell(process.name, "is asked to stop")
                process.stop()
                await asyncio.sleep(min(seconds, 30.0))
                if self.is_calm:
                    return
                process.crash()
                self._start(process)

    async def _pause(self, seconds: float) -> None:
        """The machine under a process stands still; the server ends what it left open for too long."""
        process = self._fate.one_of(self._processes)
        if process.is_up:
            self._world.tell(process.name, "stands still for {} s", seconds)
            self._world.loop.pause(process.owner, seconds)
            if seconds > IDLE_SECONDS:
                await asyncio.sleep(IDLE_SECONDS)
                self._database.end_transactions_of(process.owner)

    async def _jump(self, seconds: float) -> None:
        process, fate = self._fate.one_of(self._processes), self._fate
        process.clock.ahead += fate.one_of((-1.0, 1.0)) * seconds * fate.one_of((1.0, 20.0))
        self._world.tell(process.name, "its clock is {:.1f} s ahead", process.clock.ahead)

    async def _lose_database(self, seconds: float) -> None:
        self._world.tell("weather", "the database goes away")
        self._database.goes_away()
        await asyncio.sleep(seconds)
        self._world.tell("weather", "the database is back")
        self._database.comes_back()

    async def _lose_midtrans(self, seconds: float) -> None:
        self._world.tell("weather", "Midtrans goes away")
        self._network.is_away = True
        await asyncio.sleep(seconds * self._fate.one_of((1.0, 20.0)))
        self._world.tell("weather", "Midtrans is back")
        self._network.is_away = False

    async def _change_key(self, seconds: float) -> None:
        """The key changes at Midtrans, and then in one process after the other."""
        if self._previous_key is not None:
            return
        self._world.tell("weather", "the server key changes")
        self._key, self._previous_key = _SECOND_KEY, self._key
        self._network.midtrans.server_key = self._key
        await asyncio.sleep(min(seconds, 45.0))
        await self._restart(0.5)

    def _calm(self) -> None:
        """From now on nothing goes wrong, and everything is up."""
        self._world.tell("weather", "it is calm")
        self.is_calm, self.stormy_steps = True, self._world.loop.steps
        self._crashes_left, self._world.loop.stop_at = 0, NEVER
        self._fate.calm()
        self._network.is_away = False
        if self._database.is_away:
            self._database.comes_back()
        for process in self._processes:
            process.clock.ahead = 0.0
            self._world.loop.go_on(process.owner)
            if process.is_up and (process.is_stopping or self._previous_key is not None):
                process.crash()  # it is on its way out, or may still have the old key
            self._start(process)
        for hear in self.on_calm:
            hear()
