import signal

from deploy.embedded.restarts import PATIENCE, Deaths


def test_first_deaths_are_answered_at_once() -> None:
    deaths = Deaths()
    for _ in range(PATIENCE):
        deaths = deaths.after(1, served=False)
        assert deaths.delay == 0


def test_a_program_that_keeps_ending_is_given_more_and_more_time_within_bounds() -> None:
    deaths = Deaths(PATIENCE)
    delays = []
    for _ in range(8):
        deaths = deaths.after(1, served=False)
        delays.append(deaths.delay)
    assert delays[0] == 1
    assert delays == sorted(delays)
    assert delays[-1] == 10


def test_one_that_had_served_is_started_at_once_however_often_it_had_died() -> None:
    assert Deaths(PATIENCE + 5).after(1, served=True).delay == 0


def test_one_that_is_killed_from_outside_is_not_to_blame() -> None:
    deaths = Deaths()
    for _ in range(50):
        deaths = deaths.after(-signal.SIGKILL, served=False)
    assert deaths.delay == 0
    assert not deaths.hopeless
