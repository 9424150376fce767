"""What is wanted against what is, on a virtual clock."""

from hypothesis import given
from hypothesis import strategies as st

from havpn_core.rules import reconcile
from havpn_core.rules.plan import ActionState, Effect, Lane, Phase, Plan
from havpn_core.rules.reconcile import (
    LONGEST_PAUSE_S,
    begin,
    finish,
    hurry,
    insist,
    observe,
    want,
)
from havpn_core.rules.role import Role

A, S = Role.ACTIVE, Role.STANDBY
OWNERS, OTHERS = Lane.OWNERS, Lane.OTHERS


def next_effect(current, now):
    """Give the effect of the one lane that there is."""
    return reconcile.next_effect(current, lane_of(current), now)


def wake_s(current, now):
    return reconcile.wake_s(current, lane_of(current), now)


def lane_of(current):
    (lane,) = {action.lane for action in current.actions}
    return lane


def plan(*names, **known):
    return Plan(tuple(ActionState(name, **known) for name in names))


def do(current, now, error=None):
    effect = next_effect(current, now)
    assert effect is not None
    return finish(begin(current, effect, now), effect, error, now), effect


def test_nothing_is_done_before_anything_is_wanted():
    assert next_effect(plan("a"), 0) is None


def test_what_already_is_so_needs_no_effect():
    assert next_effect(want(plan("a", observed=S), S), 0) is None


def test_roles_are_taken_in_order_and_given_up_in_reverse():
    current = want(plan("a", "b"), A)
    current, first = do(current, 0)
    current, second = do(current, 0)
    assert [first.action, second.action] == ["a", "b"]
    current = want(current, S)
    current, first = do(current, 1)
    current, second = do(current, 1)
    assert [first, second] == [Effect("b", S), Effect("a", S)]


def test_one_effect_at_a_time_and_the_newest_wish_wins():
    current = want(plan("a", observed=A), S)
    effect = next_effect(current, 0)
    current = want(begin(current, effect, 0), A)
    assert next_effect(current, 1) is None
    current = finish(current, effect, None, 2)
    assert next_effect(current, 2) == Effect("a", A)


def test_failures_are_retried_with_growing_bounded_pauses():
    current, now, pauses = want(plan("a"), S), 0.0, []
    for _ in range(9):
        current, _ = do(current, now, error="stuck")
        due = wake_s(current, now)
        assert next_effect(current, due - 0.001) is None
        pauses.append(due - now)
        now = due
    assert pauses == sorted(pauses)
    assert pauses[0] == 1.0
    assert pauses[-1] == LONGEST_PAUSE_S


def test_taking_waits_for_the_first_but_giving_up_goes_on_past_a_failure():
    current, _ = do(want(plan("a", "b"), A), 0, error="no")
    assert next_effect(current, 0.5) is None
    both = want(plan("a", "b", observed=A), S)
    both, first = do(both, 0, error="stuck")
    assert first.action == "b"
    assert next_effect(both, 0.1) == Effect("a", S)


def test_a_role_changed_by_a_person_is_reported_and_not_fought():
    current, _ = do(want(plan("a"), A), 0)
    current = observe(current, "a", A, 1)
    current = observe(current, "a", S, 2)
    assert current.phase("a", 2) is Phase.OVERRIDDEN
    assert next_effect(current, 100) is None
    assert next_effect(insist(current), 100) == Effect("a", A)
    back = observe(current, "a", A, 3)
    assert back.phase("a", 3) is Phase.SETTLED


def test_an_override_ends_with_the_next_decision():
    current, _ = do(want(plan("a"), A), 0)
    current = observe(observe(current, "a", A, 1), "a", S, 2)
    current = want(current, S)
    assert current.phase("a", 3) is Phase.SETTLED
    assert next_effect(want(current, A), 4) == Effect("a", A)


def test_an_owning_action_puts_the_role_right():
    current, _ = do(want(plan("a", owns=True), A), 0)
    current = observe(observe(current, "a", A, 1), "a", S, 2)
    assert next_effect(current, 2) == Effect("a", A, OWNERS)


def test_an_owner_is_told_to_keep_what_a_former_run_left():
    """It announces and watches only what it was told to hold."""
    current = want(plan("a", owns=True, observed=A, done=A, proved=True), A)
    current, effect = do(current, 0)
    assert effect == Effect("a", A, OWNERS)
    assert next_effect(observe(current, "a", A, 1), 1) is None
    assert next_effect(want(plan("a", observed=A, done=A), A), 0) is None  # others are not


def test_an_owner_that_has_nothing_need_not_be_told_to_give_up():
    assert next_effect(want(plan("a", owns=True, observed=S), S), 0) is None


def test_an_owner_robbed_by_hand_is_told_nevertheless_that_it_may_rest():
    current, _ = do(want(plan("a", owns=True), A), 0)
    current = want(observe(observe(current, "a", A, 0), "a", S, 1), S)
    assert next_effect(current, 1) == Effect("a", S, OWNERS)


def test_an_owner_given_the_address_by_hand_is_told_nevertheless_to_hold_it():
    current, _ = do(want(plan("a", owns=True, observed=A), S), 0)
    current = want(observe(observe(current, "a", S, 0), "a", A, 1), A)
    assert next_effect(current, 1) == Effect("a", A, OWNERS)


def test_a_change_of_the_network_shortens_an_owners_pause_only():
    current = want(Plan((ActionState("a", owns=True),)), A)
    for now in (0, 100, 200, 300):
        current, _ = do(current, now, error="no device")
    assert wake_s(current, 300) > 305
    assert wake_s(hurry(current, 300), 300) == 301
    assert wake_s(hurry(current, 307.5), 307.5) == wake_s(current, 307.5)  # never later
    other = want(plan("b"), A)
    for now in (0, 100, 200, 300):
        other, _ = do(other, now, error="no")
    assert hurry(other, 300) == other


def test_success_that_does_not_show_is_a_failure():
    current, _ = do(want(plan("a"), S), 0)
    current = observe(current, "a", A, 1)
    assert current.phase("a", 1) is Phase.RETRYING
    assert "still active" in current.get("a").error
    assert next_effect(current, 3) == Effect("a", S)


@given(st.lists(st.sampled_from(["want A", "want S", "fail", "ok", "see", "tick"]), max_size=60))
def test_no_sequence_is_a_dead_end(steps):
    """Whatever happened, effects that succeed bring every action to the wanted role."""
    current, now = plan("a", "b", observed=A), 0.0
    for word in steps:
        now += 1
        if word.startswith("want"):
            current = want(current, A if word.endswith("A") else S)
        elif word in ("fail", "ok"):
            effect = next_effect(current, now)
            if effect:
                error = "no" if word == "fail" else None
                current = finish(begin(current, effect, now), effect, error, now)
        elif word == "see":
            for action in current.actions:
                current = observe(current, action.name, action.done, now)
    current = want(current, S)
    for _ in range(4):
        now += LONGEST_PAUSE_S
        if effect := next_effect(current, now):
            current = finish(begin(current, effect, now), effect, None, now)
    assert current.observed is S
    assert next_effect(current, now) is None
