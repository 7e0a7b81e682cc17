"""Servers with one kind of bad spell each. The spells are data: a server acts on them, and `needed` works out from the same
data how long the best client would take.

usage: spells.py PORT SPELL LOG

The second 0 is that of the first request. SIGTERM ends the server, and leaves in LOG what it saw.
"""

import asyncio
import json
import math
import signal
import sys
import time
from collections import deque
from dataclasses import dataclass

CUT = 0  # in place of a status: the connection is closed


@dataclass(frozen=True)
class Phase:
    """What is accepted from one second to another, and what everything else gets. Left out: as much as comes."""

    start: float = 0
    end: float = math.inf
    per_second: float = math.inf  # in any second
    per_ten: float = math.inf  # in each ten seconds of the server's clock
    at_once: float = math.inf  # requests under way
    status: int = 429
    retry_after: bool = False  # until the next ten seconds
    instantly: bool = False  # refused without the latency; else what is refused is under way as long as the others


@dataclass(frozen=True)
class Spell:
    name: str
    visits: int
    rate: int
    goal: float
    phases: tuple = ()
    latency: float = 0.05
    most_refused: float = math.inf
    busiest: float = math.inf
    stopped: str = ""  # the server or the client, for STALL seconds


STALL = 2
NOTHING = {"per_second": 0}
SPELLS = [
    Spell("429 from second 5 to 10", 2400, 120, 0.9, (Phase(5, 10, **NOTHING),)),
    Spell("429 from second 5 to 25", 2400, 120, 0.9, (Phase(5, 25, **NOTHING),)),
    Spell("75/s in place of 150/s from second 5 to 20", 3000, 150, 0.9,
          (Phase(0, 5, per_second=150), Phase(5, 20, per_second=75), Phase(20, per_second=150))),
    Spell("300 in each 10 s", 1200, 120, 0.9, (Phase(per_ten=300),)),
    Spell("300 in each 10 s, with Retry-After", 1200, 120, 0.95, (Phase(per_ten=300, retry_after=True),)),
    Spell("500 from second 5 to 15", 2400, 120, 0.95, (Phase(5, 15, **NOTHING, status=500),)),
    Spell("connections cut from second 5 to 15", 2400, 120, 0.95, (Phase(5, 15, **NOTHING, status=CUT),)),
    Spell("a latency of 2 s", 3000, 150, 0.95, latency=2),
    Spell("300/s wanted, 150/s allowed", 9000, 300, 0.95, (Phase(per_second=150),), latency=0.01, most_refused=15),
    Spell("a gateway that says 503 past 60/s", 2400, 120, 0.9, (Phase(per_second=60, status=503),)),
    Spell("a cap of 8 connections", 2400, 120, 0.9, (Phase(at_once=8, status=CUT),), latency=0.1),
    Spell("the same, the others cut instantly", 2400, 120, 0.9, (Phase(at_once=8, status=CUT, instantly=True),), latency=0.1),
    Spell("steady 150/s", 3000, 150, 0.99, busiest=152),
    Spell("150/s, the server stopped for 2 s", 3000, 150, 0.95, busiest=165, stopped="server"),
    Spell("150/s, traxload stopped for 2 s", 3000, 150, 0.95, busiest=165, stopped="client"),
]
# All in one run, for the picture of docs/sending.md: under two minutes, so that the page counts in seconds.
BAD_MINUTES = Spell("bad minutes", 8_800, 120, 0.9, (
    Phase(12, 20, **NOTHING),
    Phase(32, 50, per_second=60),
    Phase(62, 70, **NOTHING, status=503),
    Phase(80, 96, at_once=4, status=CUT),
))


class Accepted:
    """What a server has accepted lately, as far as its limits need it."""

    def __init__(self):
        self.last_second = deque()
        self.ten = (0, 0)

    def refuses(self, spell, second, under_way):
        """The phase that stands against one more request beside so many others, if one does."""
        while self.last_second and self.last_second[0] <= second - 1:
            self.last_second.popleft()
        if self.ten[0] != second // 10:
            self.ten = (second // 10, 0)
        for phase in spell.phases:
            if phase.start <= second < phase.end and (
                len(self.last_second) >= phase.per_second
                or self.ten[1] >= phase.per_ten
                or under_way >= phase.at_once
            ):
                return phase
        return None

    def add(self, second):
        self.last_second.append(second)
        self.ten = (self.ten[0], self.ten[1] + 1)


def needed(spell):
    """Seconds that the best client needs: it keeps to the rate, and sends at once what the server would accept."""
    accepted, under_way, second = Accepted(), deque(), 0.0
    for _ in range(spell.visits):
        while True:
            while under_way and under_way[0] <= second:
                under_way.popleft()
            if not accepted.refuses(spell, second, len(under_way)):
                break
            second += 0.001
        accepted.add(second)
        under_way.append(second + spell.latency)
        second += 1 / spell.rate
    return under_way[-1] + (STALL if spell.stopped else 0)


class Server:
    def __init__(self, spell):
        self.spell = spell
        self.first = None
        self.accepted = Accepted()
        self.under_way = 0
        self.requests = []  # second, session, status
        self.lag = 0.0

    def arrive(self, session):
        """The phase that stands against the request, and the seconds of a Retry-After or None."""
        now = time.monotonic()
        if self.first is None:
            self.first, self.lag = now, 0.0
        second = now - self.first
        phase = self.accepted.refuses(self.spell, second, self.under_way)
        status = phase.status if phase else 200
        if not phase:
            self.accepted.add(second)
        self.requests.append((second, session, status))
        return phase, math.ceil(10 - second % 10) if phase and phase.retry_after else None

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line.split(b":")[1]))
                phase, wait = self.arrive(head.split(b" ", 2)[1].rpartition(b"/")[2].decode())
                self.under_way += 1
                try:
                    await asyncio.sleep(0 if phase and phase.instantly else self.spell.latency)
                finally:
                    self.under_way -= 1
                status = phase.status if phase else 200
                if status == CUT:
                    writer.transport.abort()
                    return
                retry_after = "" if wait is None else f"Retry-After: {wait}\r\n"
                writer.write(f"HTTP/1.1 {status} \r\n{retry_after}Content-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # The client is done, or the server is.
        finally:
            writer.close()

    async def note_lag(self):
        """How late the loop is at worst: on a machine that is too busy, the figures are not those of the client."""
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            self.lag = max(self.lag, time.monotonic() - due)


async def main(port, name, log):
    server = Server(next(spell for spell in [*SPELLS, BAD_MINUTES] if spell.name == name))
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", port, backlog=1024)
    noting = asyncio.create_task(server.note_lag())
    await done.wait()
    noting.cancel()
    listening.close()
    with open(log, "w") as file:
        json.dump({"first": server.first, "requests": server.requests, "lag": server.lag}, file)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
