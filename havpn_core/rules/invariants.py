"""What is always true of a path's state; the tests check after each transition. Pure.

Each function gives sentences on what is broken, none where all is well.
"""

from havpn_core.rules.hysteresis import Level, PathRules, PathState, Verdict
from havpn_core.rules.watch import Watch

EPSILON_S = 1e-9


def broken_state(rules: PathRules, state: PathState, now_s: float) -> list[str]:
    """Check one state."""
    tolerated = int(rules.rise_loss * rules.rise)
    up = state.level is Level.UP
    most = rules.fall - 1 if up else rules.rise
    true = {
        f"streak {state.streak} is from 0 to {most}": 0 <= state.streak <= most,
        "an unknown path has no streak": state.known or not state.streak,
        "misses belong to a recovery": (not up and state.streak > 0) or not state.misses,
        f"misses {state.misses} are at most {tolerated}": 0 <= state.misses <= tolerated,
        f"gap {state.gap} is part of the misses": 0 <= state.gap <= state.misses,
        f"gap {state.gap} is below that of the rules": state.gap < rules.gap,
        "nothing is heard before it comes": state.heard_s <= now_s + EPSILON_S,
        "since is no time to come": state.since_s <= now_s + EPSILON_S,
    }
    return [sentence for sentence, holds in true.items() if not holds]


def broken_change(before: PathState, after: PathState, now_s: float) -> list[str]:
    """Check one change of verdict."""
    heard = before.heard_s == after.heard_s
    fell = before.level is Level.UP and after.level is Level.DOWN
    true = {
        "a change changes the verdict": before.verdict is not after.verdict,
        "a change is dated": after.since_s == now_s,
        "time does not go back": after.heard_s >= before.heard_s,
        "the level stays when the path becomes unknown": (
            after.verdict is not Verdict.UNKNOWN or before.level is after.level
        ),
        "only a sample raises a path": fell or before.level is after.level or not heard,
    }
    return [sentence for sentence, holds in true.items() if not holds]


def broken_watch(watch: Watch, now_s: float) -> list[str]:
    """Check a path with all that belongs to it."""
    rules, pending, up = watch.rules, list(watch.pending), watch.state.level is Level.UP
    sent = [each.sent_s for each in pending]
    timeout_s, flaps = watch.settings.timeout_s, watch.memory.flaps
    deadline = watch.deadline_s
    damping = watch.settings.damping
    hold_s = damping.max_hold_s if damping else 0.0
    true = {
        "what is pending is in order": sent == sorted(sent),
        "what is decided first is taken in": not pending or pending[0].result is None,
        "a deadline is within the timeout": (
            deadline is None or deadline <= sent[0] + timeout_s + EPSILON_S
        ),
        "nothing is sent before its time": not sent or sent[-1] <= now_s + EPSILON_S,
        "a path that is held back has a call under way": (
            watch.send_s < float("inf") or watch.turns.held_back
        ),
        "a blocked path is down": not (watch.blocked and up),
        "a poor line that must go down is down": not (watch.poor and up),
        "a dead line's silence is no loss": (
            watch.feed is None or not any(each.silent and each.run for each in watch.feed.each)
        ),
        "a hold has an end": flaps.held_until_s - flaps.at_s <= hold_s + EPSILON_S,
        "a penalty is none below zero": flaps.penalty >= 0,
    }
    broken = [sentence for sentence, holds in true.items() if not holds]
    return broken + broken_state(rules, watch.state, now_s)
