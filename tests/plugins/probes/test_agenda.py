"""When the streams of one loop are due."""

from havpn_plugins.probes._stream.agenda import Agenda
from hypothesis import given
from hypothesis import strategies as st


def test_a_later_moment_changes_nothing_and_a_sooner_one_counts_alone():
    agenda = Agenda()
    assert agenda.soonest_s == float("inf")
    assert agenda.plan("a", 5.0) and not agenda.plan("a", 6.0)
    assert agenda.plan("a", 3.0) and agenda.soonest_s == 3.0
    assert agenda.take(2.9) == []
    assert agenda.take(3.0) == ["a"]
    assert not agenda.plan("a", 4.0), "it is being served"
    agenda.forget("a")
    assert agenda.plan("a", 7.0)
    assert agenda.take(6.0) == [], "the entry of 5.0 counts no more"
    assert agenda.take(8.0) == ["a"]


def test_one_that_is_forgotten_is_not_due():
    agenda = Agenda()
    agenda.plan("a", 1.0), agenda.plan("b", 2.0)
    agenda.forget("a")
    assert agenda.take(9.0) == ["b"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 20))))
def test_each_is_due_at_its_soonest_moment_in_their_order(plans):
    agenda, soonest = Agenda(), {}
    for member, due_s in plans:
        agenda.plan(member, due_s)
        soonest[member] = min(due_s, soonest.get(member, 99))
    found = []
    for now_s in range(21):
        due = agenda.take(now_s)
        assert all(soonest[member] == now_s for member in due)
        found += due
    assert sorted(found) == sorted(soonest)
