"""What the commands say that they did."""

import pytest

from havpn_core.daemon.state.results import (
    Now,
    cleared,
    paused,
    reloaded,
    resumed,
    stands,
    switched,
)

ACTIVE = Now("active", "active", "path vpn1 up")
STANDBY = Now("standby", "standby", "path vpn1 down")
TO_COME = Now("standby", "active", "path vpn1 down")
SINCE = "2026-01-01 12:10:00 (in 10m)"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (ACTIVE, "this gateway is active (path vpn1 up)"),
        (STANDBY, "this gateway is standby (path vpn1 down)"),
        (Now("active", "active", ""), "this gateway is active"),
        (TO_COME, "this gateway is still active; it is to be standby (path vpn1 down)"),
        (
            Now("standby", None, "why"),
            "this gateway changes its role, or shows none; it is to be standby (why)",
        ),
        (Now(None, None, "why"), "this gateway has decided on no role yet (why)"),
        (
            Now(None, "active", "why"),
            "this gateway has decided on no role yet and stays active (why)",
        ),
    ],
)
def test_how_a_gateway_stands(now, said):
    assert stands(now) == said


def test_pause_and_resume():
    end = "whatever its paths do, until havpn resume."
    unknown = Now(None, None, "")
    assert paused(ACTIVE, already=False) == f"Paused: this gateway stays active {end}"
    assert paused(unknown, already=False) == f"Paused: this gateway changes nothing {end}"
    assert paused(ACTIVE, already=True) == f"It was paused already: this gateway stays active {end}"
    stays = "this gateway is standby (path vpn1 down)."
    assert resumed(STANDBY, paused=True) == f"Resumed: {stays}"
    assert resumed(STANDBY, paused=False) == f"It was not paused: {stays}"


@pytest.mark.parametrize(
    ("to", "until", "now", "said"),
    [
        ("standby", SINCE, STANDBY, f"Forced to standby until {SINCE}: this gateway is standby."),
        (
            "active",
            "",
            ACTIVE,
            "Forced to active until havpn switch --to auto: this gateway is active.",
        ),
        ("standby", SINCE, TO_COME, f"Forced to standby until {SINCE}: it is active still."),
        (
            "standby",
            SINCE,
            Now("standby", None, ""),
            f"Forced to standby until {SINCE}: the change is under way.",
        ),
        (
            "active",
            "",
            Now("standby", "standby", "unfit"),
            "Forced to active until havpn switch --to auto: but this gateway is standby (unfit).",
        ),
        (
            "standby",
            "",
            Now("standby", "active", "", paused=True),
            "Forced to standby until havpn switch --to auto: it is active still. It is paused: no "
            "role is carried out before havpn resume.",
        ),
        (None, "", ACTIVE, "Back to auto: this gateway is active (path vpn1 up)."),
        (
            None,
            "",
            Now("active", "active", "", paused=True),
            "Back to auto: this gateway is active. It is paused: no role is carried out before "
            "havpn resume.",
        ),
    ],
)
def test_switch(to, until, now, said):
    assert switched(to, until, now) == said


def test_clear_and_reload():
    soon = "up again as soon as the line replies for long enough."
    assert cleared([]) == "No path was held by damping; all flaps are forgotten."
    assert cleared(["a"]) == f"The hold of path a is over: {soon}"
    assert cleared(["a", "b"]) == f"The hold of paths a, b is over: {soon}"
    stands = "This gateway is active (path vpn1 up)."
    assert reloaded("F", "", ACTIVE) == f"Reloaded F: nothing has changed. {stands}"
    assert reloaded("F", "new: path b", ACTIVE) == f"Reloaded F: new: path b. {stands}"
