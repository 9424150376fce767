"""What is wanted against what is, on a virtual clock."""

from hypothesis import given
from hypothesis import strategies as st

from havpn_core.rules.effects import reconcile
from havpn_core.rules.effects.plan import ActionState, Effect, Lane, Phase, Plan
from havpn_core.rules.effects.reconcile import (
    HEAD_START_S,
    LONGEST_PAUSE_S,
    abandon,
    begin,
    finish,
    hurry,
    insist,
    needs_preparing,
    observe,
    prepared,
    want,
)
from havpn_core.rules.role import Role
from tests.core.values import replace

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
    assert pauses[-1] == LONGEST_PAUSE_S == 60


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


# --- two lanes ---------------------------------------------------------------------------------

HOOK = ActionState("hook")
VIP = ActionState("vip", owns=True)
WIP = ActionState("wip", owns=True)
LATE = ActionState("late")
BOTH = Plan((HOOK, VIP, WIP, LATE))
GIVEN = Plan(tuple(replace(each, observed=A) for each in BOTH.actions))


def due(current, lane, now):
    effect = reconcile.next_effect(current, lane, now)
    return effect and effect.action


def started(current, lane, now):
    """Begin what a lane has to do."""
    effect = reconcile.next_effect(current, lane, now)
    assert effect.lane is lane
    return begin(current, effect, now), effect


def ended(current, lane, now, error=None, seen=None):
    """Begin and end what a lane has to do; an owner is looked at."""
    current, effect = started(current, lane, now)
    current = finish(current, effect, error, now)
    return observe(current, effect.action, seen, now) if seen else current


def test_owners_take_in_the_order_of_the_file_and_give_in_the_reverse_among_themselves():
    current = want(BOTH, A)
    current = ended(current, OWNERS, 0, seen=A)
    current, effect = started(current, OWNERS, 0)
    assert effect == Effect("wip", A, OWNERS)
    current = observe(finish(current, effect, None, 0), "wip", A, 0)
    assert due(current, OWNERS, 0) is None
    current = want(current, S)
    current, effect = started(current, OWNERS, 1)
    assert effect == Effect("wip", S, OWNERS)
    current = observe(finish(current, effect, None, 1), "wip", S, 1)
    assert due(current, OWNERS, 1) == "vip"


def test_others_take_turns_among_themselves():
    current = ended(ended(want(BOTH, A), OWNERS, 0, seen=A), OWNERS, 0, seen=A)
    assert due(current, OTHERS, 0) == "hook"
    current, effect = started(current, OTHERS, 0)
    assert effect == Effect("hook", A)
    assert due(current, OTHERS, 0) is None
    current = finish(current, effect, "no", 0)
    assert due(current, OTHERS, 0.5) is None, "what comes after may depend on it"
    current = ended(current, OTHERS, 1)
    assert due(current, OTHERS, 1) == "late"
    current = want(current, S)
    current = ended(ended(current, OWNERS, 2, seen=S), OWNERS, 2, seen=S)
    assert due(current, OTHERS, 2) == "late"
    current = ended(current, OTHERS, 2)
    assert due(current, OTHERS, 2) == "hook"


def test_an_owner_that_failed_stops_the_next_owner_and_nobody_else():
    current = ended(want(BOTH, A), OWNERS, 0, error="no", seen=S)
    assert due(current, OWNERS, 0.9) is None
    assert due(current, OTHERS, 0) == "hook"
    assert due(current, OWNERS, 1) == "vip"
    current = ended(want(GIVEN, S), OWNERS, 0, error="no", seen=A)
    assert due(current, OWNERS, 0) == "vip", "the rest must be let go all the same"


def test_others_leave_an_owner_its_head_start_and_no_more():
    current = want(BOTH, A)
    assert due(current, OTHERS, 0) is None, "an owner is about to begin"
    current, effect = started(current, OWNERS, 7)
    assert current.owner_since_s == 7
    assert due(current, OTHERS, 7 + HEAD_START_S - 0.01) is None
    assert reconcile.wake_s(current, OTHERS, 7) == 7 + HEAD_START_S
    assert reconcile.wake_s(current, OWNERS, 7) is None
    assert due(current, OTHERS, 7 + HEAD_START_S) == "hook"
    assert reconcile.wake_s(current, OTHERS, 7 + HEAD_START_S) is None
    busy, other = started(current, OTHERS, 7 + HEAD_START_S)
    assert busy.running == (effect, other)
    assert busy.owner_since_s == 7, "others get no start of their own"
    assert reconcile.wake_s(busy, OTHERS, 7) is None
    done = observe(finish(current, effect, None, 7), "vip", A, 7)
    assert due(done, OTHERS, 7) is None, "the next owner is about to begin"


def test_an_effect_of_one_lane_ends_none_of_the_other():
    current, first = started(want(BOTH, A), OWNERS, 0)
    current, second = started(current, OTHERS, 1)
    assert finish(current, first, None, 1).running == (second,)
    assert finish(current, second, None, 1).running == (first,)
    assert abandon(current, first).running == (second,)
    assert abandon(current, second).running == (first,)
    assert abandon(current, first).actions == current.actions


def test_the_first_wish_and_none_at_all_end_no_override():
    foreign = Plan((replace(HOOK, done=A, proved=True, foreign=S, failures=2, retry_s=9.0),))
    assert want(foreign, A).actions == foreign.actions, "a run that begins respects it, too"
    assert want(want(foreign, A), None).actions == foreign.actions
    assert want(want(foreign, A), S).actions == (replace(HOOK, done=A, proved=True),)
    assert insist(foreign).actions == (replace(HOOK, done=A, proved=True),)


def test_a_lane_wakes_for_whatever_comes_first():
    current, _ = started(want(BOTH, A), OWNERS, 0)
    for retry_s, due_s in ((0.25, 0.25), (0.75, HEAD_START_S)):
        hook = replace(HOOK, retry_s=retry_s)
        waiting = replace(current, actions=(hook, *current.actions[1:]))
        assert reconcile.wake_s(waiting, OTHERS, 0) == due_s


def test_pauses_wake_their_own_lane():
    current = ended(want(BOTH, A), OWNERS, 0, error="no", seen=S)
    current = ended(current, OTHERS, 0.25, error="no")
    assert reconcile.wake_s(current, OWNERS, 0.25) == 1
    assert reconcile.wake_s(current, OTHERS, 0.25) == 1.25
    assert reconcile.wake_s(current, OWNERS, 1) is None
    assert reconcile.wake_s(replace(current, wanted=None), OWNERS, 0.25) is None
    foreign = replace(HOOK, retry_s=5.0, foreign=S)
    assert reconcile.wake_s(want(Plan((foreign,)), A), OTHERS, 0) is None
    settled = replace(HOOK, retry_s=5.0, observed=A)
    assert reconcile.wake_s(want(Plan((settled,)), A), OTHERS, 0) is None


def test_a_success_of_an_owner_counts_once_it_is_observed():
    current = want(Plan((VIP,)), A)
    current, effect = started(current, OWNERS, 0)
    assert (current.held, current.observed) == (None, None)
    current = finish(current, effect, None, 0)
    assert (current.held, current.observed) == (None, None)
    assert due(current, OWNERS, 100) is None, "it is not done again for want of a look"
    current = observe(current, "vip", A, 0)
    assert (current.held, current.observed) == (A, A)
    assert observe(current, "vip", None, 1).held is None
    assert current.get("vip") == replace(VIP, observed=A, done=A, proved=True, begun=True)


def test_a_success_wipes_out_what_was_before_but_not_the_count_of_failures():
    before = replace(HOOK, done=S, proved=True, failures=3, retry_s=4.0, error="no")
    current = ended(want(Plan((before,)), A), OTHERS, 4)
    assert current.get("hook") == replace(HOOK, observed=A, done=A, failures=3, begun=True)
    lie = observe(current, "hook", S, 4)
    assert lie.get("hook") == replace(
        HOOK,
        observed=S,
        failures=4,
        retry_s=12.0,
        error="reported success, but this gateway is still standby",
        begun=True,
    )


def test_a_failure_leaves_nothing_that_is_known():
    before = replace(HOOK, observed=S, done=S, proved=True)
    current = ended(want(Plan((before,)), A), OTHERS, 4, error="no")
    assert current.get("hook") == replace(HOOK, proved=True, failures=1, retry_s=5.0, error="no")


def test_a_success_of_others_counts_at_once():
    current = ended(want(Plan((HOOK,)), A), OTHERS, 0)
    assert current.held is A
    assert current.get("hook") == replace(HOOK, observed=A, done=A, begun=True)
    assert observe(current, "hook", None, 1).held is A, "it cannot be looked at"


def test_an_owner_that_raises_holds_what_is_seen_and_is_tried_again():
    current = ended(want(Plan((VIP,)), A), OWNERS, 0, error="no announcement", seen=A)
    assert current.held is A
    assert current.phase("vip", 0) is Phase.RETRYING
    assert current.phase("vip", 1) is Phase.PENDING
    assert current.get("vip").error == "no announcement"
    assert current.get("vip").failures == 1
    current = ended(current, OWNERS, 1, seen=A)
    assert current.phase("vip", 1) is Phase.SETTLED
    assert (current.get("vip").failures, current.get("vip").error) == (0, "")


def test_a_lie_of_an_owner_is_a_failure():
    current = ended(want(Plan((VIP,)), A), OWNERS, 0, seen=S)
    assert current.held is S
    assert current.get("vip").error == "reported success, but this gateway is still standby"
    assert due(current, OWNERS, 0.9) is None
    assert due(current, OWNERS, 1) == "vip"
    given = ended(want(Plan((replace(VIP, observed=A),)), S), OWNERS, 0, seen=A)
    assert given.held is A
    assert due(given, OWNERS, 1) == "vip"


def test_owners_alone_say_what_is_held():
    current = Plan((replace(HOOK, observed=S, done=S), replace(VIP, observed=A), WIP))
    assert current.owners == (replace(VIP, observed=A), WIP)
    assert current.deciding == current.owners
    assert current.held is None, "one owner is not known"
    one = Plan(current.actions[:2])
    assert (one.held, one.observed) == (A, A)
    hooked = begin(one, Effect("hook", A), 0)
    assert hooked.held is A, "what others are at is no matter"
    owned = begin(one, Effect("vip", S, OWNERS), 0)
    assert (owned.held, owned.observed) == (None, A)
    assert replace(VIP, done=A).shown is None
    assert replace(HOOK, done=A).shown is A
    assert replace(HOOK, done=A, observed=S).shown is S


def test_where_nothing_owns_anything_all_say_it():
    current = Plan((replace(HOOK, observed=A), replace(LATE, done=A)))
    assert current.deciding == current.actions
    assert (current.held, current.observed) == (A, A)
    assert Plan((HOOK, replace(LATE, done=A))).held is None
    running = begin(current, Effect("hook", S), 0)
    assert (running.held, running.observed) == (None, A)
    assert Plan().held is None


def test_what_owners_began_before_they_went_holds_up_the_one_lane_that_is_left():
    effect = Effect("vip", A, OWNERS)
    current = replace(want(Plan((HOOK,)), A), running=(effect,))
    assert due(current, OTHERS, 100) is None
    assert reconcile.wake_s(current, OTHERS, 0) is None
    assert current.held is None
    assert due(abandon(current, effect), OTHERS, 0) == "hook"


def test_what_others_began_holds_up_no_owner_that_came():
    current = replace(want(Plan((HOOK, VIP)), A), running=(Effect("gone", A),))
    assert due(current, OWNERS, 0) == "vip"
    assert due(current, OTHERS, 100) is None


def test_a_name_that_changed_its_lane_is_not_what_is_under_way_in_the_other():
    current = replace(want(Plan((VIP,)), A), running=(Effect("vip", S),))
    assert not current.changing("vip")
    assert current.phase("vip", 0) is Phase.PENDING
    assert observe(current, "vip", A, 0).get("vip").observed is A
    assert replace(current, running=(Effect("vip", S, OWNERS),)).changing("vip")
    assert not replace(current, running=(Effect("wip", S, OWNERS),)).changing("vip")


def test_all_is_prepared_once_for_each_change_of_the_owners():
    current = want(BOTH, A)
    assert needs_preparing(current, Effect("vip", A, OWNERS))
    assert not needs_preparing(current, Effect("hook", A))
    assert not needs_preparing(current, Effect("vip", S, OWNERS)), "that is not wanted any more"
    assert needs_preparing(prepared(current, S), Effect("vip", A, OWNERS)), "that was another one"
    current = prepared(current, A)
    assert prepared(current, S) == current
    assert not needs_preparing(current, Effect("vip", A, OWNERS))
    assert want(current, A).prepared
    current = want(current, S)
    assert needs_preparing(current, Effect("vip", S, OWNERS))


def test_a_look_that_shows_what_was_done_clears_all_that_was_wrong():
    wrong = replace(HOOK, done=A, foreign=S, failures=2, error="no")
    current = observe(want(Plan((wrong,)), A), "hook", A, 0)
    assert current.get("hook") == replace(HOOK, observed=A, done=A, proved=True)


def test_the_words_of_the_status_stay():
    words = ["settled", "pending", "applying", "retrying", "overridden"]
    assert [phase.value for phase in Phase] == words
    assert [lane.value for lane in Lane] == ["owners", "others"]
    assert ActionState("new") == ActionState(
        "new", False, None, None, False, 0, 0.0, "", None, False
    )
    assert Plan() == Plan((), None, (), 0.0, False)


def test_a_look_in_the_middle_of_a_change_proves_nothing():
    current, _ = started(want(BOTH, A), OWNERS, 0)
    assert observe(current, "vip", A, 0) is current
    assert current.phase("vip", 0) is Phase.APPLYING
    assert observe(current, "hook", S, 0).get("hook").observed is S


OUTCOMES = ["ok", "fail", "lie", "hang"]


def sequence(outcomes, wishes, names, script):
    """Run a plan in steps of a quarter of a second; gives what owners did, and when.

    :param outcomes: how the effects of those that own nothing end, and after how many steps.
    :param wishes: the wish of each step.
    :param script: how the owners' effects end.
    """
    states = {"hook": HOOK, "vip": VIP, "late": LATE, "wip": WIP}
    current, done, ends = Plan(tuple(states[name] for name in names)), [], {}
    scripts = {OWNERS: iter(script), OTHERS: iter(outcomes)}
    for step, wish in enumerate(wishes):
        now = step / 4
        current = want(current, wish)
        for lane, (effect, outcome, end) in list(ends.items()):
            if end == step:
                del ends[lane]
                error = "no" if outcome == "fail" else None
                current = finish(current, effect, error, now)
                seen = effect.role if outcome == "ok" else effect.role.other
                current = observe(current, effect.action, seen, now)
        for lane in Lane:
            effect = reconcile.next_effect(current, lane, now)
            if effect is None:
                continue
            outcome, takes = next(scripts[lane], ("ok", 1))
            current = begin(current, effect, now)
            ends[lane] = (effect, outcome, None if outcome == "hang" else step + takes)
            if lane is OWNERS:
                done.append((now, effect))
    return done


@given(
    st.lists(st.tuples(st.sampled_from(OUTCOMES), st.integers(1, 9)), max_size=12),
    st.lists(st.tuples(st.sampled_from([None, A, S]), st.integers(1, 12)), max_size=8),
    st.permutations(["hook", "vip", "late", "wip"]),
    st.lists(st.tuples(st.sampled_from(OUTCOMES[:3]), st.integers(1, 5)), max_size=8),
)
def test_nothing_that_others_do_changes_what_owners_do_or_when(outcomes, wishes, names, script):
    steps = [wish for wish, long in wishes for _ in range(long)]
    alone = [name for name in names if name in ("vip", "wip")]
    expected = sequence([], steps, alone, script)
    assert sequence(outcomes, steps, names, script) == expected


def test_the_first_owner_begins_with_the_wish_and_every_lane_comes_to_its_end():
    wishes = [None, A, A, A, A, A, A, S, S, S, S, S]
    names = ["hook", "vip", "late", "wip"]
    done = sequence([("hang", 1)] * 9, wishes, names, [])
    assert [(now, e.action, e.role) for now, e in done] == [
        (0.25, "vip", A), (0.5, "wip", A), (1.75, "wip", S), (2.0, "vip", S),
    ]  # fmt: skip


def test_an_error_is_over_with_the_trouble_whatever_ended_it():
    current, _ = do(want(plan("a"), A), 0, error="no device")
    assert current.trouble("a", 0) == "no device", "it waits for the next try"
    assert begin(current, Effect("a", A), 1).trouble("a", 1) == "no device", "it is being tried"
    assert observe(current, "a", A, 0).trouble("a", 0) == "", "somebody else did it"
    assert want(current, S).trouble("a", 0) == "", "that is not wanted any more"
    assert insist(current).trouble("a", 0) == "", "an operator asks to try afresh"
    done, _ = do(current, 1)
    assert done.trouble("a", 1) == ""
    foreign = observe(observe(done, "a", A, 2), "a", S, 3)
    assert foreign.phase("a", 3) is Phase.OVERRIDDEN
    assert replace(foreign, actions=(replace(foreign.get("a"), error="old"),)).trouble("a", 3) == ""
