"""The process of one SIP carrier: its sockets, and one clock of 20 ms for the sound of all its calls.

It is started by process.py with one end of a socket pair, over which it is told what to do and tells what
happens (words.py). When the other end is gone, whoever held it is dead: the calls are ended politely, and so
is the process."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes

import msgspec
import uvloop

from chappe.carriers.sip import words
from chappe.carriers.sip.agent import Agent
from chappe.carriers.sip.incoming import Incoming
from chappe.carriers.sip.legs import Leg
from chappe.carriers.sip.settings import SipSettings
from chappe.carriers.sip.streams import Ports, Stream
from chappe.carriers.sip.trunks import addresses
from chappe.media.mixer import (
    Judged,
    MachineReady,
    Mixer,
    MixerEvent,
    Played,
    Quiet,
    RecordEnded,
    Talking,
)
from chappe.media.pcm import SILENCE
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.protocols.sip.transactions import Address

TICK = 0.02
_HOPELESS = 0.5
_PULSE = 1.0
_LOOK_UP = 60.0
_LAST_WORDS = 0.5
"""Seconds between two frames; behind which the clock gives up what it has missed; between two pulses; between
two look-ups of trunks' names; and for the last messages of a process that ends (all our choice)."""


class Worker:
    """See the module. It is the Outside of its agent."""

    def __init__(self, settings: SipSettings, writer: asyncio.StreamWriter) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer
        self._signalling = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._signalling.setblocking(False)
        self._signalling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._signalling.bind((settings.listen, settings.port))
        self._listen = settings.listen
        self._hosts: dict[str, str] = {}
        self._ports = Ports(settings.listen, settings.first_port, settings.last_port)
        self._mixer = Mixer()
        self._sounds: dict[str, bytes] = {}
        self._up: dict[int, Leg] = {}
        self._judged: set[int] = set()
        self._heard = self._lost = self._ticks = self._late = 0
        self._worst = 0.0
        self._next = 0.0
        self.agent = Agent(settings, self, token_bytes(32))
        self._loop.add_reader(self._signalling.fileno(), self._readable)

    # --- what the agent needs

    def now(self) -> float:
        """See agent.Outside."""
        return time.time()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """See agent.Outside."""
        self._loop.call_later(seconds, what)

    def send(self, data: bytes, to: Address) -> None:
        """See agent.Outside."""
        with suppress(
            OSError
        ):  # nobody can be reached there, or too much is on its way: what matters is sent again
            self._signalling.sendto(data, to)

    def host_for(self, to: Address) -> str:
        """See agent.Outside."""
        if self._listen != "0.0.0.0":
            return self._listen
        if to[0] not in self._hosts:
            if len(self._hosts) > 10_000:
                self._hosts.clear()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.connect((to[0], to[1] or 5060))  # sends nothing: the routes are asked
                    self._hosts[to[0]] = probe.getsockname()[0]
                except OSError:
                    return "127.0.0.1"
        return self._hosts[to[0]]

    def tell(self, event: words.Event) -> None:
        """See agent.Outside."""
        if isinstance(event, words.Happened) and event.key:
            self._mixer.key(event.leg, event.key)
        self._writer.write(words.packed(event))

    def open(self) -> Stream:
        """See agent.Outside."""
        stream = Stream(self._ports.bind(), time.time)
        self._loop.add_reader(stream.socket.fileno(), stream.readable)
        return stream

    def went_up(self, leg: Leg) -> None:
        """See agent.Outside."""
        self._up[leg.id] = leg
        self._mixer.add(leg.id)
        if leg.id in self._judged:
            self._mixer.judge(leg.id)

    def went_down(self, leg: Leg) -> None:
        """See agent.Outside."""
        self._judged.discard(leg.id)
        if self._up.pop(leg.id, None) is not None:
            self._mixer.remove(leg.id)
        heard, lost = leg.stream.counts
        self._heard += heard
        self._lost += lost

    def close(self, stream: Stream) -> None:
        """See agent.Outside."""
        self._loop.remove_reader(stream.socket.fileno())
        stream.close()

    def _readable(self) -> None:
        for _ in range(100):
            try:
                data, source = self._signalling.recvfrom(65_536)
            except BlockingIOError:
                return
            except OSError:
                continue
            try:
                self.agent.receive(data, source)
            except Exception as error:  # noqa: BLE001 - one message of somebody must not end the calls of all
                self.tell(words.Note("error", f"a SIP message was not understood: {error!r}"))

    # --- the clock

    def start(self) -> None:
        """Let time begin."""
        self._next = self._loop.time() + TICK
        self._loop.call_at(self._next, self._tick)

    def _tick(self) -> None:
        late = self._loop.time() - self._next
        self._ticks += 1
        self._worst = max(self._worst, late)
        if late > TICK:
            self._late += 1
        if late > _HOPELESS:
            self._next += late
        self._next += TICK
        self._loop.call_at(self._next, self._tick)
        self.agent.transactions.tick(time.time())
        ticked = self._mixer.tick({leg_id: leg.stream.take() for leg_id, leg in self._up.items()})
        for leg_id, leg in self._up.items():
            leg.stream.say(ticked.to_play.get(leg_id, SILENCE))
        for event in ticked.events:
            self._tell_of(event)

    def _tell_of(self, event: MixerEvent) -> None:
        match event:
            case RecordEnded(recording_id, seconds, key):
                self.tell(words.Recorded(recording_id, seconds, key))
            case Played(leg_id):
                self._happened(leg_id, LegEventKind.PLAYED)
            case Talking(leg_id):
                self._happened(leg_id, LegEventKind.TALKING)
            case Quiet(leg_id):
                self._happened(leg_id, LegEventKind.QUIET)
            case Judged(leg_id, machine):
                self._happened(leg_id, LegEventKind.JUDGED, machine)
            case MachineReady(leg_id):
                self._happened(leg_id, LegEventKind.MACHINE_READY)

    def _happened(self, leg_id: int, kind: LegEventKind, machine: bool = False) -> None:
        self.tell(words.Happened(leg_id, kind.value, machine=machine))

    async def pulse(self) -> None:
        """Say each second how it goes."""
        while True:
            await asyncio.sleep(_PULSE)
            self.agent.watch()
            counts = [leg.stream.counts for leg in self._up.values()]
            self.tell(
                words.Pulse(
                    legs=self.agent.count,
                    ticks=self._ticks,
                    late=self._late,
                    worst=self._worst * 1000,
                    heard=self._heard + sum(heard for heard, _ in counts),
                    lost=self._lost + sum(lost for _, lost in counts),
                    silenced=self.agent.admission.silenced,
                    trunks=tuple(trunk.state for trunk in self.agent.trunks.values()),
                )
            )
            self._worst = 0.0

    async def look_up(self) -> None:
        """Find where trunks are, again and again."""
        while True:
            trunks = self.agent.settings.trunks
            self.agent.found({one.name: await addresses(one.host) for one in trunks})
            await asyncio.sleep(_LOOK_UP)

    # --- what the platform asks

    def obey(self, word: words.Command) -> None:
        """Do what the platform says."""
        agent, mixer = self.agent, self._mixer
        match word:
            case words.Dial():
                if word.judges:
                    self._judged.add(word.leg)
                agent.dial(word)
            case words.Adopt(call, leg_id):
                agent.adopt(call, leg_id)
            case words.Alert(leg_id):
                if isinstance(leg := agent.legs.get(leg_id), Incoming):
                    leg.alert()
            case words.Answer(leg_id):
                if isinstance(leg := agent.legs.get(leg_id), Incoming):
                    leg.answer()
            case words.HangUp(leg_id, cause):
                agent.hang_up(leg_id, HangUpCause(cause))
            case words.Keep(key, samples):
                self._sounds[key] = samples
            case words.Forget(key):
                self._sounds.pop(key, None)
            case words.Play(leg_id, key, is_endless):
                mixer.play(leg_id, self._sounds.get(key, b""), is_endless)
            case words.Stop(leg_id):
                mixer.stop(leg_id)
            case words.Announce(room, key):
                mixer.announce(room, self._sounds.get(key, b""))
            case words.Press(leg_id, keys):
                if (found := self._up.get(leg_id)) is not None:
                    found.stream.press(keys)
            case words.Mute(leg_id, muted):
                mixer.mute(leg_id, muted)
            case words.Record():
                mixer.record(
                    word.recording,
                    Path(word.path),
                    word.leg,
                    word.room,
                    word.longest_seconds,
                    word.ends_on_key,
                    word.silence_seconds,
                )
            case words.StopRecord(recording):
                mixer.stop_record(recording)
            case words.Join(room, leg_ids):
                for leg_id in leg_ids:
                    mixer.join(room, leg_id)
            case words.Part(leg_id):
                mixer.part(leg_id)
            case words.Lamp():
                agent.lamps.show(word)
            case words.Known():
                agent.proofs.known(word)
            case words.RefuseTransfer(leg_id):
                agent.refuse_transfer(leg_id)
            case words.Begin(telephones=telephones):
                agent.begin(telephones)

    def stop(self) -> None:
        """End all calls and recordings."""
        self.agent.stop()
        self._mixer.close()
        self._mixer.tick({})


async def _work(end: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=end)
    decoder: msgspec.msgpack.Decoder[words.Command] = msgspec.msgpack.Decoder(words.Command)
    begin = await words.next_word(reader, decoder)
    if not isinstance(begin, words.Begin):
        raise ValueError("the first message must be Begin")
    try:
        worker = Worker(begin.settings, writer)
    except OSError as error:
        where = f"{begin.settings.listen} port {begin.settings.port}"
        writer.write(words.packed(words.Note("error", f"SIP cannot be spoken at {where}: {error.strerror}")))
        await writer.drain()
        return
    worker.obey(begin)
    worker.start()
    tasks = [asyncio.create_task(one) for one in (worker.pulse(), worker.look_up())]
    try:
        while True:
            worker.obey(await words.next_word(reader, decoder))
    except (asyncio.IncompleteReadError, ConnectionError):
        worker.stop()
        await asyncio.sleep(_LAST_WORDS)
    finally:
        for task in tasks:
            task.cancel()


def main() -> None:
    """Work at the other end of an open file, whose number is the only argument."""
    # Whoever started us says by that file when it is over; a Ctrl-C in his terminal is not meant for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(-5)  # sound cannot wait; only root may
    end = socket.socket(fileno=int(sys.argv[1]))
    uvloop.run(_work(end))


if __name__ == "__main__":
    main()
