"""Why an alert that fires is not told now; also the metric label."""

from enum import StrEnum


class Stop(StrEnum):
    """The stage that stopped it, in the order of the stages."""

    UNJUDGED = "unjudged"
    NOBODY = "nobody"
    HIGHER_LAGS = "higher-lags"
    SOURCE_SILENT = "source-silent"
    SILENCED = "silenced"
    ACKNOWLEDGED = "acknowledged"
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    QUIET_HOURS = "quiet-hours"
    GROUP_WAIT = "group-wait"
    GROUP_INTERVAL = "group-interval"
    TOLD = "told"
