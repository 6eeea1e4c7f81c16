"""The jars of the HAPI FHIR server that the tests run, locked; fetched when first asked for.

`python -m tests.integration.ingest.connectors.fhir.hapi_jars` resolves them anew and writes the
lock file.
"""

from pathlib import Path
from typing import Final

from deploy.embedded.fetch import lock, trust_the_machine
from deploy.embedded.jars import JarSet

HAPI: Final = JarSet(
    "hapi-fhir", Path(__file__).with_name("hapi.lock.toml"), "the tests of the connector `fhir`"
)

_COORDINATES: Final = (
    "ca.uhn.hapi.fhir:hapi-fhir-server:8.8.0",
    "ca.uhn.hapi.fhir:hapi-fhir-structures-r4:8.8.0",
    "ca.uhn.hapi.fhir:hapi-fhir-structures-r4b:8.8.0",
    "ca.uhn.hapi.fhir:hapi-fhir-caching-caffeine:8.8.0",
    "org.eclipse.jetty.ee10:jetty-ee10-servlet:12.0.16",
    "org.slf4j:slf4j-nop:2.0.16",
    # A compiler that runs on a JRE, which is all that a developer's machine has.
    "org.eclipse.jdt:ecj:3.40.0",
)

#: What HAPI's POMs name beside: tools for tests, mail, XSLT. The server runs without them.
_UNUSED: Final = frozenset(
    [
        "Saxon-HE",
        "xmlresolver",
        "annotations",
        "apiguardian-api",
        "assertj-core",
        "byte-buddy",
        "byte-buddy-agent",
        "checker-qual",
        "error_prone_annotations",
        "httpclient5",
        "httpcore5",
        "httpcore5-h2",
        "j2objc-annotations",
        "jmail",
        "junit-jupiter-api",
        "junit-platform-commons",
        "listenablefuture",
        "mockito-core",
        "mockito-junit-jupiter",
        "objenesis",
        "opentest4j",
        "simple-java-mail",
        "core-module",
        "angus-mail",
        "angus-activation",
        "jakarta.activation-api",
        "throwing-function",
        "spring-messaging",
        "spring-beans",
        "icu4j",
        # RDF and tests, for R4.
        *("jena-arq", "jena-core", "jena-base", "jena-shex", "jena-iri", "jena-iri3986"),
        *("jena-langtag", "protobuf-java", "RoaringBitmap", "junit", "hamcrest-core", "libthrift"),
        *("titanium-json-ld", "titanium-rdf-n-quads", "titanium-jcs", "titanium-rdf-api"),
        *("jakarta.json", "collection", "commons-csv", "commons-compress"),
    ]
)
_ROW: Final = "[[dependencies]]"


def relock() -> int:
    """Resolve the coordinates and write the lock file; return how many jars it has."""
    lock(HAPI, _COORDINATES)
    head, *rows = HAPI.lock_file.read_text(encoding="utf-8").split(_ROW)
    used = [row for row in rows if row.split('artifactId = "')[1].split('"')[0] not in _UNUSED]
    HAPI.lock_file.write_text(_ROW.join([head, *used]), encoding="utf-8")
    return len(used)


if __name__ == "__main__":
    trust_the_machine()
    print(f"{relock()} jars locked in {HAPI.lock_file.name}")  # noqa: T201
