"""How long an address had two owners that saw each other, or none."""

import pytest

from havpn_core.testing.lab.daemons.ownership import Holding
from havpn_core.testing.lab.daemons.tenure import Tenure, tenure
from havpn_core.testing.lab.hosts.lan import Absence

PAIR = ("one", "two")


def held(*spells: tuple[float, str]) -> list[Holding]:
    ends = [*[at for at, _ in spells[1:]], None]
    return [
        Holding(at, until, frozenset(names.split()))
        for (at, names), until in zip(spells, ends, strict=True)
    ]


def judge(*spells: tuple[float, str], away: tuple[Absence, ...] = (), since: float = 0) -> Tenure:
    return tenure(held(*spells), away, PAIR, since, 10)


def test_one_owner_all_the_time_is_perfect() -> None:
    assert judge((0, "one")) == Tenure(0, 0, 0, 0)


def test_the_longest_and_the_sum_of_times_with_two_and_with_none() -> None:
    found = judge((0, "one"), (1, "one two"), (3, "two"), (4, ""), (7, "two"), (9, "one two"))
    assert found == Tenure(shared=2, unowned=3, shared_total=3, unowned_total=3)


def test_what_was_before_the_time_judged_counts_only_from_its_beginning() -> None:
    assert judge((0, "one two"), (5, "one"), since=4) == Tenure(1, 0, 1, 0)


def test_nothing_is_known_before_the_first_report() -> None:
    assert judge((2, "one")).unowned == 2


@pytest.mark.parametrize("until", [6, None])
def test_owners_parted_by_the_switch_do_not_count_as_two(until: float | None) -> None:
    found = judge((0, "one two"), away=(Absence("one", 2, until),))
    end = 10 if until is None else until
    assert found == Tenure(shared=max(2, 10 - end), unowned=0, shared_total=2 + 10 - end,
                           unowned_total=0)  # fmt: skip


def test_an_owner_off_the_lan_leaves_the_others_without_one() -> None:
    assert judge((0, "one"), (5, "one two"), away=(Absence("one", 3, None),)).unowned == 2


def test_nobody_could_own_while_both_are_off_the_lan() -> None:
    away = (Absence("one", 2, 8), Absence("two", 4, 6))
    assert judge((0, ""), away=away) == Tenure(0, 4, 0, 8)


def test_a_run_goes_on_across_changes_that_do_not_matter_to_it() -> None:
    away = (Absence("two", 1, 2), Absence("two", 4, 5))
    assert judge((0, ""), (6, "one"), away=away).unowned == 6
