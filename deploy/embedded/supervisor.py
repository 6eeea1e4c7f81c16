"""Keeps programs running: starts again what dies, stops everything in order.

It must run in the main thread: children are bound to the thread that starts them, and signals
arrive there.
"""

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from deploy.embedded.child import Child
from deploy.embedded.errors import StackError
from deploy.embedded.program import Program
from deploy.embedded.progress import State
from deploy.embedded.restarts import Deaths

_POLL_SECONDS = 0.1
_PROBE_EVERY_SECONDS = 0.25
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Tell = Callable[[str, State, str], None]


@dataclass
class _Supervised:
    """A program and what is known of its present process."""

    program: Program
    deaths: Deaths = field(default_factory=Deaths)
    ready: bool = False
    restart_at: float | None = None
    probed_at: float = 0.0
    probe: Future[bool] | None = None


class Supervisor:
    """Programs in the order of their start; they are stopped in groups, the last one first."""

    def __init__(self, tell: Tell, on_change: Callable[[], None]) -> None:
        """Begin without programs.

        Args:
            tell: hears what happens: the program's name, the state, a sentence.
            on_change: is called after any process was started, when process ids have changed.
        """
        self._tell = tell
        self._on_change = on_change
        self._groups: list[list[_Supervised]] = []
        self._probes = ThreadPoolExecutor(max_workers=8, thread_name_prefix="readiness")
        self.stopping = False

    @property
    def children(self) -> list[Child]:
        """The processes, in the order of their start."""
        return [one.program.child for one in self._all()]

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to stop, as long as the block lasts."""
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self, programs: Sequence[Program]) -> None:
        """Start programs as one group, after those before them.

        Raises:
            StackError: one of them cannot be executed.
        """
        group = [_Supervised(program) for program in programs]
        self._groups.append(group)
        for one in group:
            self._tell(one.program.name, State.STARTING, "")
            self._spawn(one)
        self._on_change()

    def wait_ready(self, timeout: float) -> bool:
        """Watch until all programs serve.

        Returns:
            Whether they do; False if the wish to stop came first.

        Raises:
            StackError: a program keeps ending, or is not ready within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not all(one.ready for one in self._all()):
            if self.stopping:
                return False
            for one in self._all():
                if one.deaths.hopeless:
                    _give_up(one.program.child, "keeps ending while it starts")
                if not one.ready and time.monotonic() > deadline:
                    _give_up(one.program.child, f"was not ready after {timeout:g} seconds")
            self._look()
            time.sleep(_POLL_SECONDS)
        return True

    def watch(self) -> None:
        """Start again what dies, until the wish to stop comes."""
        while not self.stopping:
            self._look()
            time.sleep(_POLL_SECONDS)

    def stop(self, grace: float) -> bool:
        """Stop all programs, the group started last first.

        Args:
            grace: how many seconds each group may take before it is killed.

        Returns:
            Whether all went by themselves.
        """
        self.stopping = True
        clean = True
        while self._groups:
            group = self._groups.pop()
            for one in group:
                self._tell(one.program.name, State.STOPPING, "")
                one.program.child.ask_to_stop()
            deadline = time.monotonic() + grace
            for one in group:
                went = one.program.child.stop(max(0.0, deadline - time.monotonic()))
                clean = clean and went
                detail = "" if went else f"killed: it did not end within {grace:g} seconds"
                self._tell(one.program.name, State.STOPPED, detail)
        self._probes.shutdown(wait=False, cancel_futures=True)
        return clean

    def _all(self) -> Iterable[_Supervised]:
        return [one for group in self._groups for one in group]

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _look(self) -> None:
        """See once what died, what is due to start again, and what has become ready."""
        changed = False
        for one in self._all():
            now = time.monotonic()
            child = one.program.child
            if one.restart_at is None and not child.alive:
                self._mourn(one, now)
            if one.restart_at is not None and now >= one.restart_at:
                changed = self._start_again(one, now) or changed
            elif not one.ready:
                self._probe(one, now)
        if changed:
            self._on_change()

    def _mourn(self, one: _Supervised, now: float) -> None:
        child = one.program.child
        code = child.exit_code or 0
        one.deaths = one.deaths.after(code, served=one.ready)
        one.restart_at = now + one.deaths.delay
        child.sweep()
        when = f" in {one.deaths.delay:g} seconds" if one.deaths.delay else ""
        self._tell(child.name, State.DIED, f"{_ending(code)}; it is started again{when}")

    def _start_again(self, one: _Supervised, now: float) -> bool:
        try:
            self._spawn(one)
        except StackError as error:  # say, its environment is being set up anew
            one.deaths = one.deaths.after(1, served=False)
            one.restart_at = now + max(1.0, one.deaths.delay)
            self._tell(one.program.name, State.DIED, str(error))
            return False
        return True

    def _spawn(self, one: _Supervised) -> None:
        one.program.before_start()
        one.program.child.start()
        one.ready, one.restart_at, one.probe = False, None, None

    def _probe(self, one: _Supervised, now: float) -> None:
        """Ask in another thread whether the program serves; a slow answer must not hold up."""
        if one.probe is not None and one.probe.done():
            one.ready, one.probe = one.probe.result(), None
            if one.ready:
                one.deaths = Deaths()
                self._tell(one.program.name, State.READY, "")
        elif one.probe is None and now - one.probed_at >= _PROBE_EVERY_SECONDS:
            one.probed_at = now
            one.probe = self._probes.submit(one.program.is_ready)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _give_up(child: Child, what: str) -> None:
    raise StackError(
        f"{child.name} {what}; its log is {child.log}, which ends:\n{child.last_lines()}"
    )
