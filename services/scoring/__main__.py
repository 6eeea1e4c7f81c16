"""Start scoring: ``python -m services.scoring``, with settings from the environment."""

from services.chassis import logs
from services.chassis.process import serve
from services.chassis.settings import load
from services.scoring.app import build
from services.scoring.settings import Configuration


def main() -> None:
    """Read the settings, build the application and run it until a signal comes."""
    configuration = load(Configuration)
    logs.configure("scoring", configuration.log)
    serve(build(configuration), configuration.http)


if __name__ == "__main__":
    main()
