"""Which build runs, and since when: the version, and its metrics."""

import platform
from importlib import metadata

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, ProcessCollector

_DISTRIBUTION = "nhipso"


def version() -> str:
    """Return the installed version of this project.

    Raises:
        importlib.metadata.PackageNotFoundError: the project is not installed; run `uv sync`.
    """
    return metadata.version(_DISTRIBUTION)


def register(registry: CollectorRegistry, *, service: str, version: str) -> None:
    """Add `build_info` and the process's metrics (start time, CPU, memory, files) to a registry.

    `process_start_time_seconds` is seconds since the epoch. Call it once a registry.
    """
    build = Gauge(
        "build_info",
        "The build that runs; always 1.",
        ("service", "version", "python"),
        registry=registry,
    )
    build.labels(service, version, platform.python_version()).set(1)
    # prometheus-client has already put the process's metrics into its global registry.
    if registry is not REGISTRY:
        ProcessCollector(registry=registry)
