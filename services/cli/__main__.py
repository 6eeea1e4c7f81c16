"""Entry point of the `nhipso` command."""

import sys
from typing import Annotated

import stamina.instrumentation
import typer
from rich.text import Text

from services.chassis.buildinfo import version
from services.cli.alerts import alerts
from services.cli.areas import areas
from services.cli.bench import bench
from services.cli.catalogue import catalogue
from services.cli.digests import digests
from services.cli.exits import EPILOG, INTERRUPTED, OK, CommandError
from services.cli.indicators import indicators
from services.cli.rebuild import rebuild
from services.cli.receivers import receivers
from services.cli.reconcile import reconcile
from services.cli.rejections import rejections
from services.cli.reports import reports
from services.cli.rules import rules
from services.cli.send import send
from services.cli.silences import silences
from services.cli.simulate import simulate
from services.cli.sources import sources
from services.cli.status import status
from services.cli.terminal import remarks
from services.cli.up import up
from services.cli.validate import validate

app = typer.Typer(
    name="nhipso",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
for command in (up, simulate, send, validate, indicators, status, reconcile, rebuild):
    app.command(epilog=EPILOG)(command)
app.add_typer(alerts, name="alerts")
app.add_typer(silences, name="silences")
app.add_typer(receivers, name="receivers")
app.add_typer(areas, name="areas")
app.add_typer(sources, name="sources")
app.add_typer(rejections, name="rejections")
app.add_typer(reports, name="reports")
app.add_typer(digests, name="digests")
app.add_typer(catalogue, name="catalogue")
app.add_typer(rules, name="rules")
app.add_typer(bench, name="bench")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"nhipso {version()}")
        raise typer.Exit


@app.callback()
def nhipso(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Nhịp Số: a province's digital-citizen and digital-society indicators, live.

    `nhipso up` starts everything on this machine and fills it with an invented province. Then
    `nhipso indicators` shows where the province or a commune stands, `alerts` who lags and
    `status` whether the services are well.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    stamina.instrumentation.set_on_retry_hooks([])  # a command tells of retries in its own way
    try:
        app(arguments, prog_name="nhipso")
    except CommandError as error:
        remarks().print(Text("error: ", "red"), str(error), sep="", soft_wrap=True, markup=False)
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return OK


if __name__ == "__main__":
    sys.exit(main())
