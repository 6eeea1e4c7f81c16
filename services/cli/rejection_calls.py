"""What `nhipso rejections` asks of ingest."""

from typing import Any, Final

from services.cli.endpoints import Endpoints
from services.cli.exits import UNREACHABLE, USAGE, CommandError
from services.cli.reading import get_json, post_json
from services.cli.terminal import events_progress, remarks

_LONGEST_PAGE: Final = 500
_RETRIED_AT_ONCE: Final = 100
#: A connector that has no mapping of its own is opened first.
_RETRY_SECONDS: Final = 60.0


async def listed(stack: Endpoints, parameters: dict[str, str], limit: int) -> list[dict[str, Any]]:
    """The newest rejections that fit, at most `limit`."""
    url = f"{stack.url('ingest')}/v1/rejections"
    found: list[dict[str, Any]] = []
    asked = dict(parameters)
    while len(found) < limit:
        asked["limit"] = str(min(limit - len(found), _LONGEST_PAGE))
        answer = await get_json(url, token=stack.token("operator"), parameters=asked)
        if not isinstance(answer, dict) or not isinstance(answer.get("rejections"), list):
            raise CommandError(f"{url} did not answer with a list of rejections", UNREACHABLE)
        found += answer["rejections"]
        if answer.get("next") is None:
            break
        asked["cursor"] = answer["next"]
    return found


async def counts(stack: Endpoints, parameters: dict[str, str]) -> dict[str, Any]:
    """How many fit, as ingest answers it."""
    url = f"{stack.url('ingest')}/v1/rejections/counts"
    answer = await get_json(url, token=stack.token("operator"), parameters=parameters)
    if not isinstance(answer, dict) or not isinstance(answer.get("counts"), list):
        raise CommandError(f"{url} did not answer with counts", UNREACHABLE)
    return answer


async def retry_named(stack: Endpoints, ids: list[str]) -> list[dict[str, Any]]:
    """Retry one after the other; what cannot be retried ends it.

    Raises:
        CommandError: with ingest's reason.
    """
    results: list[dict[str, Any]] = []
    for one in ids:
        url = f"{stack.url('ingest')}/v1/rejections/{part(one)}/retry"
        token = stack.token("operator")
        results.append(await post_json(url, None, token=token, seconds=_RETRY_SECONDS))
    return results


async def retry_matching(stack: Endpoints, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Retry all open ones that fit, a bounded number a request, with a bar that tells how far."""
    total = (await counts(stack, parameters | {"state": "open"}))["total"]
    url = f"{stack.url('ingest')}/v1/rejections/retry"
    query: dict[str, Any] = {"filter": parameters, "limit": _RETRIED_AT_ONCE}
    results: list[dict[str, Any]] = []
    with events_progress(remarks()) as progress:
        bar = progress.add_task("Retrying", total=total, note="")
        while True:
            token = stack.token("operator")
            answer = await post_json(url, query, token=token, seconds=_RETRY_SECONDS)
            results += answer["results"]
            refused = sum(one["outcome"] != "accepted" for one in results)
            note = f"{refused:,} not accepted" if refused else ""
            progress.update(bar, completed=len(results), note=note)
            if answer["next"] is None:
                return results
            query["cursor"] = answer["next"]


def part(rejection: str) -> str:
    """An id as a part of an address.

    Raises:
        CommandError: it is none.
    """
    if not rejection or not all(sign.isalnum() or sign == "-" for sign in rejection):
        raise CommandError("this is no id of a rejection; nhipso rejections list shows them", USAGE)
    return rejection
