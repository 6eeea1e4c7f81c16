"""What is answered about rejections. Nothing here shows an identifier."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import EventTime
from contracts.reasons import Reason
from contracts.rejected import Origin
from services.ingest.rejecting.filters import Filter, State
from services.ingest.rejecting.store import Outcome, Rejection, Work

MOST_LISTED = 500
MOST_RETRIED = 1_000


class RejectionAnswer(BaseModel):
    """One rejection. `reason` and `detail` are those of the last attempt."""

    id: UUID
    rejected_at: EventTime
    stage: Literal["ingest", "scoring"]
    state: State
    reason: Reason
    detail: Annotated[str, Field(description="what is wrong, and what to do")]
    first_reason: Reason
    caller: Annotated[str | None, Field(description="`sub` of the token, `connector:<name>`")]
    source: str | None
    event_id: Annotated[str | None, Field(description="*** stands for a long number")]
    event_type: str | None
    origin: Annotated[Origin, Field(discriminator="via")]
    original_bytes: int
    attempts: Annotated[int, Field(description="how often it has been retried")]


class RejectionsAnswer(BaseModel):
    """A page of rejections, newest first; `next` is the `cursor` of the page after it."""

    rejections: list[RejectionAnswer]
    next: str | None


class CountAnswer(BaseModel):
    """How many; `source` is `other` where the caller might not use the source it named."""

    source: str
    reason: Reason
    state: State
    count: int


class CountsAnswer(BaseModel):
    """Counts by source, reason and state, the largest first."""

    counts: list[CountAnswer]
    total: int


class WorkAnswer(BaseModel):
    """What an operator did with a rejection."""

    done_at: EventTime
    done_by: Annotated[str, Field(description="`sub` of the operator's token")]
    outcome: Outcome
    reason: Reason | None
    note: Annotated[str, Field(description="why it was refused again, or dismissed")]


class WholeRejectionAnswer(RejectionAnswer):
    """One rejection with its original and what has been done with it."""

    original: Annotated[
        Any,
        Field(description="as JSON, every identifier and all that may be one masked; or null"),
    ]
    original_hidden: Annotated[str, Field(description="why there is no original here")]
    works: list[WorkAnswer]


class RetryAnswer(BaseModel):
    """What became of one retry."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    outcome: Literal["accepted", "refused", "impossible"]
    reason: Reason | None
    detail: Annotated[str, Field(description="what is wrong, or why it cannot be retried here")]


class RetriesAnswer(BaseModel):
    """What became of several; `next` is the `cursor` of the request after it."""

    accepted: int
    refused: int
    impossible: int
    results: list[RetryAnswer]
    next: str | None


class ListQuery(Filter):
    """Which rejections, and from where on."""

    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 100
    cursor: Annotated[str | None, Field(max_length=200, description="`next` of a page")] = None


class RetryQuery(BaseModel):
    """Which open rejections to retry, newest first, a bounded number at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    matching: Annotated[Filter, Field(alias="filter")] = Filter()
    limit: Annotated[int, Field(ge=1, le=MOST_RETRIED)] = 200
    cursor: Annotated[str | None, Field(max_length=200, description="`next` of an answer")] = None


class DismissalQuery(BaseModel):
    """Why a rejection needs no more work."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    note: Annotated[str, Field(min_length=1, max_length=500)]


def answer_of(rejection: Rejection) -> RejectionAnswer:
    """As it is listed."""
    return RejectionAnswer(**_members(rejection))


def whole_answer_of(
    rejection: Rejection, original: Any, hidden: str, works: list[Work]
) -> WholeRejectionAnswer:
    """With its original, masked, and its history."""
    done = [
        WorkAnswer(
            done_at=work.done_at,
            done_by=work.done_by,
            outcome=work.outcome,
            reason=None if work.reason is None else Reason(work.reason),
            note=work.note,
        )
        for work in works
    ]
    return WholeRejectionAnswer(
        **_members(rejection), original=original, original_hidden=hidden, works=done
    )


def _members(rejection: Rejection) -> dict[str, Any]:
    return {name: getattr(rejection, name) for name in RejectionAnswer.model_fields}
