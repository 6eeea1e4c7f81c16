"""The notifier's mutants: how one could be told twice, never, at night, or of what is not so."""

from typing import Final

from tests.fault.mutations import Check, Edit, Mutant

_DELIVERING: Final = Check(tests="tests/integration/notifier/test_delivering.py")
_TELLING: Final = Check(tests="tests/integration/notifier/test_telling.py")
_DECIDING: Final = Check(tests="tests/unit/notifier/test_decide.py")
_STAGES: Final = Check(tests="tests/unit/notifier/test_stages.py")
_DELIVERIES: Final = "services/notifier/store/deliveries.sql"

NOTIFIER_MUTANTS: Final = (
    Mutant(
        "Kafka commit before the figures'",
        (
            Edit(
                "services/notifier/pipeline/records.py",
                "            events = list(self._readable(records))\n",
                "            events = list(self._readable(records))\n"
                "            await self._commit(records)\n",
            ),
        ),
        (Check(points="figures.before-commit"),),
    ),
    Mutant(
        "two processes write the same letter",
        (
            Edit(
                "services/notifier/pipeline/telling.py",
                "            if not await take_turn(connection, Turn.TELL):\n"
                "                return\n"
                "            # Look again under the lock",
                "            # Look again under the lock",
            ),
        ),
        (_TELLING,),
    ),
    Mutant(
        "delivered before the receiver has answered",
        (
            Edit(
                _DELIVERIES,
                "    SET attempts = known.attempts + 1\n",
                "    SET attempts = known.attempts + 1, state = 'delivered', finished_at = $2\n",
            ),
        ),
        (_DELIVERING, Check(points="delivery.before-send")),
    ),
    Mutant(
        "a new id with each attempt",
        (
            Edit(
                "services/notifier/receivers/webhook/sending.py",
                "self.post(receiver, str(delivery.id), ",
                'self.post(receiver, f"{delivery.id}/{delivery.attempts}", ',
            ),
        ),
        (_DELIVERING, Check(points="delivery.after-send")),
    ),
    Mutant(
        "a lease that another process does not honour",
        (
            Edit(
                _DELIVERIES,
                "      AND (receivers.leased_until IS NULL OR receivers.leased_until <= $2)\n",
                "",
            ),
        ),
        (_DELIVERING,),
    ),
    Mutant(
        "who wakes up notes over what another has noted",
        (
            Edit(
                _DELIVERIES,
                "SET state = 'delivered', finished_at = $2, last_error = NULL, reason = $3\n"
                "WHERE id = $1 AND state = 'waiting'\n",
                "SET state = 'delivered', finished_at = $2, last_error = NULL, reason = $3\n"
                "WHERE id = $1\n",
            ),
        ),
        (_DELIVERING,),
    ),
    Mutant(
        "alert events removed before the broker has them",
        (
            Edit(
                "services/notifier/pipeline/publishing.py",
                '                    failpoint("alert-events.before-send")\n',
                "                    async with self._pool.acquire() as other:\n"
                "                        await alerts.mark_published("
                "other, [event.number for event in waiting])\n"
                '                    failpoint("alert-events.before-send")\n',
            ),
        ),
        (Check(points="alert-events.before-send"),),
    ),
    Mutant(
        "older figures over newer ones",
        (
            Edit(
                "services/notifier/store/figures.sql",
                "    is_changed = true\nWHERE known.version < excluded.version\n",
                "    is_changed = true\n",
            ),
        ),
        (Check(tests="tests/integration/notifier/test_evaluating.py"),),
    ),
    Mutant(
        "a silent source judged as a lag",
        (
            Edit(
                "services/notifier/core/decide.py",
                "    if not fresh:\n",
                "    if not fresh and is_reported:\n",
            ),
        ),
        (_DECIDING,),
    ),
    Mutant(
        "no hysteresis",
        (
            Edit(
                "services/notifier/core/decide.py",
                "behind > rule.tolerance - rule.hysteresis:",
                "behind > rule.tolerance:",
            ),
        ),
        (_DECIDING,),
    ),
    Mutant(
        "a graver lag above hushes nothing",
        (
            Edit(
                "services/notifier/core/stages.py",
                "        lambda some: sift(some, lambda one: _hushed(one, terms)),\n",
                "",
            ),
        ),
        (_STAGES,),
    ),
    Mutant(
        "the interval between letters forgets what is resolved",
        (
            Edit(
                "services/notifier/pipeline/telling.py",
                "self._longest = _longest_interval(routing.root)",
                "self._longest = timedelta(0)",
            ),
        ),
        (_TELLING,),
    ),
    Mutant(
        "office hours by UTC",
        (
            Edit(
                "services/notifier/core/quiet.py",
                "        local = now.astimezone(LOCAL_ZONE)\n",
                "        local = now\n",
            ),
        ),
        (_STAGES,),
    ),
    Mutant(
        "a promise broken on its last day",
        (
            Edit(
                "services/notifier/core/acknowledgement.py",
                "        and today > promised\n",
                "        and today >= promised\n",
            ),
        ),
        (Check(tests="tests/unit/notifier/test_acknowledgement.py"),),
    ),
    Mutant(
        "a promise's day by UTC",
        (
            Edit(
                "services/notifier/pipeline/promising.py",
                "        today = local_day(now)\n",
                "        today = now.date()\n",
            ),
        ),
        (Check(tests="tests/integration/notifier/test_working.py"),),
    ),
)
