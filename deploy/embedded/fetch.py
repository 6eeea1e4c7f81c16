"""Fetch Kafka's jars, or another program's, from Maven Central, by jgo, without Maven.

`python -m deploy.embedded.fetch` fetches what is missing (this is what `make setup` runs);
with `--lock` it first resolves the coordinates below anew and writes the lock file. Downloads
stay in the local Maven repository: `M2_REPO`, else `~/.m2/repository`.
"""

import argparse
import os
import shutil
import ssl
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.env import LockFile
from jgo.maven import MavenContext
from requests import RequestException

from deploy.embedded.errors import StackError
from deploy.embedded.jars import KAFKA, Jar, JarSet, sha256

_KAFKA = "org.apache.kafka:kafka_2.13:4.1.0"
# Kafka's distribution adds the bridge from SLF4J to Log4j; its POM does not.
_LOG_BRIDGE = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"

_ATTEMPTS = 3
_TIMEOUT_SECONDS = 60


def fetch(wanted: JarSet) -> int:
    """Fetch the locked jars that are not there yet and check them.

    Returns:
        How many jars there are now.

    Raises:
        StackError: a jar cannot be fetched, or is not the one that was locked.
    """
    locked = wanted.locked()
    if not wanted.complete():
        wanted.share.mkdir(parents=True, exist_ok=True)
        context = MavenContext(timeout=_TIMEOUT_SECONDS)
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda jar: _put_into_place(context, jar, wanted), locked))
        names = {jar.file_name for jar in locked}
        for found in wanted.share.glob("*.jar"):
            if found.name not in names:
                found.unlink()
        wanted.mark_complete()
    return len(locked)


def lock(wanted: JarSet, coordinates: Sequence[str], as_they_are: Sequence[str] = ()) -> int:
    """Resolve coordinates and write the lock file; return how many jars.

    What stands in `as_they_are` is added without what it depends on.
    """
    context = MavenContext(timeout=_TIMEOUT_SECONDS)
    inputs, transitive = context.resolver.resolve(list(map(context.create_dependency, coordinates)))
    found = [*inputs, *transitive, *map(context.create_dependency, as_they_are)]
    locked = [jar for jar in found if jar.scope in (None, "compile", "runtime")]
    locked.sort(key=lambda jar: (jar.groupId, jar.artifactId))
    LockFile.from_resolved_dependencies(locked, environment_name=wanted.name).save(wanted.lock_file)
    return len(locked)


def _put_into_place(context: MavenContext, jar: Jar, wanted: JarSet) -> None:
    """Copy one jar from the local repository, where jgo downloads it first if it must."""
    target = wanted.share / jar.file_name
    if target.exists() and sha256(target) == jar.sha256:
        return
    reason = "not tried"
    for _ in range(_ATTEMPTS):
        try:
            source = _download(context, jar)
        except (RequestException, RuntimeError, OSError) as error:
            reason = str(error)
            continue
        if sha256(source) == jar.sha256:
            partial = target.with_suffix(f".{os.getpid()}.partial")
            shutil.copyfile(source, partial)
            partial.replace(target)
            return
        # A download that was cut short, or one that somebody changed: once more from the source.
        reason = f"{source} does not have the locked SHA-256 {jar.sha256}"
        source.unlink(missing_ok=True)
    raise StackError(
        f"{jar.file_name} cannot be fetched: {reason}; "
        f"check the way to Maven Central and run {wanted.fetched_by} again"
    )


def _download(context: MavenContext, jar: Jar) -> Path:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact(packaging="jar").resolve())
    except AssertionError as error:  # jgo's answer when another process has just put it there
        raise RuntimeError("another download of the same file is under way") from error


def trust_the_machine() -> None:
    """Let downloads go by the machine's certificates, as a network that inspects TLS wants.

    What the caller has set goes before; without certificates of the machine, those of the library
    for HTTP stay in force.
    """
    paths = ssl.get_default_verify_paths()
    found = paths.cafile or paths.capath
    if found is not None:
        os.environ.setdefault("REQUESTS_CA_BUNDLE", found)


def main() -> int:
    """Run as a command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.fetch", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="write the lock file anew first")
    arguments = parser.parse_args()
    trust_the_machine()
    try:
        if arguments.lock:
            # The bridge is added as it is: resolved together, it would change Kafka's versions.
            print(f"{lock(KAFKA, [_KAFKA], [_LOG_BRIDGE])} jars locked in {KAFKA.lock_file.name}")
        print(f"Kafka: {fetch(KAFKA)} jars in {KAFKA.share}")
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
