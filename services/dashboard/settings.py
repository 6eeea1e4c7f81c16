"""What the dashboard reads from the environment: ``NHIPSO_DASHBOARD__…`` and the common groups."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from services.chassis.settings import ServiceSettings, Settings

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
Interval = Annotated[float, Field(gt=0)]


class DashboardSettings(Settings):
    """Where the figures come from. `token_file` holds a token of the role leader."""

    scoring_url: Url
    notifier_url: Url
    token_file: Path
    timeout_seconds: Interval = 5
    refresh_seconds: Annotated[int, Field(ge=2)] = 10


class ServiceEnvironment(ServiceSettings):
    """All that the process reads."""

    dashboard: DashboardSettings
