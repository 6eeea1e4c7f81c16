"""What `nhipso up` shows: how far the start has come, one table of addresses, then what goes wrong."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from deploy.embedded.progress import Progress, State
from services.cli.endpoints import DEFAULT_ENDPOINTS
from services.cli.terminal import answers

_STYLES: Final[Mapping[State, str]] = {
    State.READY: "green",
    State.DIED: "bold red",
    State.STOPPED: "dim",
}
_WAITING: Final = frozenset({State.PREPARING, State.STARTING, State.STOPPING})
_PURPOSES: Final[Mapping[str, str]] = {
    "dashboard": "pages for people",
    "ingest": "takes events, POST /v1/events",
    "scoring": "indicators, /v1/areas/2025:15/indicators",
    "notifier": "alerts, /v1/alerts",
    "kafka": "broker",
    "postgres": "store (address with password in endpoints.json)",
    "mail": "every message that was sent, as .eml",
    "logs": "one log a process",
    "endpoints": "addresses, process ids and tokens",
}


class Board:
    """Shows how far the start has come, then the addresses, then only what goes wrong."""

    def __init__(self, console: Console, data_dir: Path, *, demo: bool) -> None:
        self._console = console
        self._data_dir = data_dir
        self._demo = demo
        self._rows: dict[str, Progress] = {}
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(console=console, get_renderable=self._table, transient=True)
            self._live.start()

    def hear(self, progress: Progress) -> None:
        """Take note of one thing that happened."""
        if progress.state is State.RUNNING:
            self.close()
            self._welcome(progress)
            return
        if progress.state is not State.NOTE and progress.name != "stack":
            self._rows[progress.name] = progress
        if self._live is None or progress.state in {State.NOTE, State.DIED}:
            self._console.print(_line(progress), soft_wrap=True)

    def close(self) -> None:
        """Take the moving table away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for progress in self._rows.values():
            waiting = progress.state in _WAITING
            table.add_row(
                self._spinner if waiting else "",
                progress.name,
                Text(progress.state, style=_STYLES.get(progress.state, "yellow")),
                Text(f"{progress.seconds:.1f} s", style="dim"),
                progress.detail,
            )
        return table

    def _welcome(self, progress: Progress) -> None:
        console = answers()
        table = Table(
            title=f"Nhịp Số is running (started in {progress.seconds:.1f} s)",
            title_justify="left",
            box=box.ROUNDED,
        )
        table.add_column("What", no_wrap=True)
        table.add_column("Where", overflow="fold")
        table.add_column("What for", style="dim")
        for name, where in progress.addresses.items():
            table.add_row(name, where, _PURPOSES.get(name, ""))
        console.print(table)
        chosen = self._data_dir / DEFAULT_ENDPOINTS.name
        option = "" if chosen == DEFAULT_ENDPOINTS else f" --endpoints {chosen}"
        if self._demo:
            console.print("The province is being filled; watch the figures grow:")
        for words in ("indicators 2025:15", "status"):
            console.print(f"  {_command()} {words}{option}", soft_wrap=True)
        console.print("Ctrl-C stops everything.")


def _command() -> str:
    """What to type for `nhipso`: its name where the shell finds it, else the way to it from here."""
    if shutil.which("nhipso") is not None:
        return "nhipso"
    script = Path(sys.executable).with_name("nhipso")
    here = Path.cwd()
    return str(script.relative_to(here) if script.is_relative_to(here) else script)


def _line(progress: Progress) -> Text:
    """One thing that happened, as a line of a log."""
    told = f"[{progress.seconds:7.1f} s] {progress.name} {progress.state}"
    return Text(f"{told}: {progress.detail}" if progress.detail else told)
