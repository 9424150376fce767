"""What a gateway owes the far site: when its responder is told what, and which events follow."""

import logging
from types import SimpleNamespace

import pytest

from havpn_core import EventKind, Severity
from havpn_core.daemon.duty import APART, TOGETHER, UNCOVERED, Duty
from havpn_core.echo.gate import RespondOptions
from havpn_core.echo.report import NO_ROAD, notice
from havpn_core.echo.respond import Responder
from havpn_core.echo.silence import MAINTENANCE, ROAD
from havpn_core.plugging.stance import Stance
from havpn_core.rules.fitness import Fitness
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.role import Role

BAD = Fitness(False, reason="forwarding of IPv4 is off")
CERTAIN = Fitness(False, certain=True, reason="the LAN has no carrier")


class Gateway:
    """What a duty sees of a gateway: plain values, and a real responder without sockets."""

    def __init__(self, when="fit", pair=True):
        self.now, self.events = 100.0, []
        self.plan = SimpleNamespace(held=Role.ACTIVE)
        self.force = SimpleNamespace(role=None, paused=False, aside=False)
        no = dict.fromkeys(("off_road", "stuck", "left", "maintenance", "aside"), False)
        self.session = SimpleNamespace(**no)
        self.leaving, self.looks = False, 0
        self.withdrawing = SimpleNamespace(reason="", seen=None, look_soon=self.look)
        self.acting = SimpleNamespace(plan=self.plan, advised=False)
        self.parts = SimpleNamespace(
            pair=SimpleNamespace(session=self.session) if pair else None,
            lan=SimpleNamespace(fitness=Fitness()),
            config=SimpleNamespace(node=SimpleNamespace(name="gw-aa")),
            responder=self.responding(when),
            paths={"line": SimpleNamespace(far_stands_by=False, verdict=Verdict.UP)},
        )
        self.duty = Duty(
            SimpleNamespace(clock=lambda: self.now, emit=self.events.append),
            self.parts,
            self.acting,
            self.force,
            leaving=lambda: self.leaving,
            withdrawing=self.withdrawing,
        )

    def look(self):
        self.looks += 1

    def responding(self, when):
        options = RespondOptions(listen=["127.0.0.1:7"], allow=["127.0.0.1"], when=when)
        return Responder(options, lambda: self.now, logging.getLogger("respond"))

    def at(self, now=None, held=Role.STANDBY):
        """Look once; gives why it is silent."""
        self.now = self.now if now is None else now
        self.plan.held = held
        self.duty.update()
        return self.parts.responder.silent

    @property
    def said(self):
        return [(e.before, e.after, e.detail, e.severity) for e in self.events]


def test_a_gateway_that_is_well_replies_and_says_nothing():
    here = Gateway()
    for held in (None, *Role):
        assert here.at(held=held) == ""
    assert here.events == []


def forced(here):
    here.force.role = Role.STANDBY


def leaves(here):
    here.leaving = True


def unfit(here):
    here.parts.lan.fitness = BAD


def off_road(here):
    here.session.off_road = True


def withdrew(here):
    here.withdrawing.reason = "forwarding of IPv4 is off; another gateway serves"


@pytest.mark.parametrize(
    ("cause", "why"),
    [(forced, MAINTENANCE), (leaves, MAINTENANCE), (unfit, BAD.reason), (off_road, ROAD),
     (withdrew, ROAD)],
)  # fmt: skip
def test_each_cause_silences_a_standby_and_nobody_else(cause, why):
    here = Gateway()
    cause(here)
    assert here.at(held=Role.ACTIVE) == ""
    assert here.at(held=None) == ""
    assert here.events == []
    assert here.at() == why
    assert here.said == [("replying", "silent", why, Severity.WARNING)]
    assert here.events[0].kind is EventKind.RESPOND
    assert here.events[0].subject == ""
    assert here.at(held=Role.ACTIVE) == ""
    assert here.said[1:] == [("silent", "replying", "", Severity.INFO)]


def test_what_a_stream_says_of_this_gateway_is_what_the_responder_rests_on():
    here = Gateway()
    here.at(held=Role.ACTIVE)
    assert here.parts.stance == Stance(Role.ACTIVE, name="gw-aa")
    here.force.paused, here.session.stuck, here.session.left = True, True, True
    forced(here)
    here.parts.lan.fitness = BAD
    here.at(held=Role.STANDBY)
    assert here.parts.stance == Stance(
        Role.STANDBY,
        False,
        maintenance=True,
        paused=True,
        away=True,
        no_road=True,
        left=True,
        name="gw-aa",
    )


def test_forced_to_active_is_no_maintenance():
    here = Gateway()
    here.force.role = Role.ACTIVE
    assert here.at() == ""


def test_certain_unfitness_silences_a_holder():
    here = Gateway()
    here.parts.lan.fitness = CERTAIN
    assert here.at(held=Role.ACTIVE) == CERTAIN.reason


def test_without_a_pair_no_road_is_left_but_by_withdrawing():
    here = Gateway(pair=False)
    off_road(here)
    assert here.at() == ""
    withdrew(here)
    assert here.at() == ROAD


def advised(**more):
    """A gateway whose cluster manager may keep the addresses here though it stands by."""
    here = Gateway(pair=False, **more)
    here.acting.advised = True
    return here


@pytest.mark.parametrize("seen", [False, None])
@pytest.mark.parametrize("cause", [forced, leaves, unfit, withdrew])
def test_where_standby_is_advice_it_replies_unless_another_is_seen_serving(cause, seen):
    here = advised()
    cause(here)
    here.withdrawing.seen = seen
    assert here.at() == ""
    here.withdrawing.seen = True
    assert here.at() != ""
    here.withdrawing.seen = seen
    assert here.at() == ""


def test_certain_unfitness_needs_nobody_else():
    here = advised()
    here.parts.lan.fitness = CERTAIN
    assert here.at() == CERTAIN.reason


def test_a_pair_knows_better_than_what_its_action_advises():
    here = Gateway()
    here.acting.advised = True
    forced(here)
    assert here.at() == MAINTENANCE
    assert not here.duty.depends
    assert here.looks == 0


@pytest.mark.parametrize("cause", [forced, leaves])
def test_maintenance_of_one_that_is_advised_needs_a_look_at_once(cause):
    here = advised()
    here.at(held=Role.ACTIVE)
    assert not here.duty.depends
    assert here.looks == 0
    cause(here)
    here.at(held=Role.ACTIVE)
    assert here.duty.depends
    here.at()
    here.at()
    assert here.looks == 1
    here.force.role, here.leaving = Role.ACTIVE, False
    here.at()
    assert not here.duty.depends
    cause(here)
    here.at()
    assert here.looks == 2


def test_where_the_role_is_no_advice_maintenance_needs_no_look():
    here = Gateway(pair=False)
    forced(here)
    assert here.at() == MAINTENANCE
    assert not here.duty.depends
    assert here.looks == 0


def test_that_nobody_else_serves_is_reported_once_and_only_what_is_known():
    here = advised()
    forced(here)
    here.at()
    here.withdrawing.seen = True
    here.at()
    here.withdrawing.seen = False
    here.at(held=Role.ACTIVE)
    here.withdrawing.seen = None
    here.at()
    kept = [e for e in here.events if e.kind is EventKind.ROLE]
    assert kept == []
    here.withdrawing.seen = False
    here.at()
    here.at()
    [kept] = [e for e in here.events if e.kind is EventKind.ROLE]
    assert (kept.before, kept.after, kept.detail) == ("", "kept", UNCOVERED)
    assert kept.severity is Severity.WARNING


def test_a_silence_is_an_event_once_whatever_its_reason_becomes():
    here = Gateway()
    forced(here)
    here.at()
    unfit(here)
    assert here.at() == BAD.reason
    here.at()
    assert [each[:3] for each in here.said] == [("replying", "silent", MAINTENANCE)]


def test_one_that_always_replies_reports_no_silence():
    here = Gateway(when="always")
    forced(here)
    assert here.at() == ""
    assert here.events == []


def test_a_responder_that_a_reload_brings_is_told_and_one_that_it_takes_away_is_silent_no_more():
    here = Gateway()
    forced(here)
    here.at()
    here.parts.responder = here.responding("fit")
    assert here.at() == MAINTENANCE
    assert len(here.events) == 1
    here.parts.responder = None
    here.duty.update()
    assert [each[:2] for each in here.said[1:]] == [("silent", "replying")]


def test_who_stays_without_a_road_tells_the_far_site():
    here, request = Gateway(), bytes(16)
    here.session.stuck = True
    here.at(held=Role.ACTIVE)
    said = here.parts.responder._notices.beside(("192.0.2.6", 40000), request, here.now)
    assert said == notice(NO_ROAD, request)
    alone = Gateway(pair=False)
    alone.session.stuck = True
    alone.at(held=Role.ACTIVE)
    assert not alone.parts.responder._notices.beside(("192.0.2.6", 40000), request, here.now)


def test_only_a_standby_says_that_it_stands_by():
    here, request = Gateway(), bytes(16)
    for held, says in ((Role.ACTIVE, False), (None, False), (Role.STANDBY, True)):
        here.at(held=held)
        notices = here.parts.responder._notices
        assert bool(notices.beside(("192.0.2.6", 40000), request, here.now)) is says


# --- sites on different lines -------------------------------------------------------------------


def test_sites_that_are_apart_for_10_s_are_reported_and_so_is_the_end():
    here = Gateway()
    far = here.parts.paths["line"]
    far.far_stands_by = True
    for now in (100.0, 109.9):
        here.at(now, Role.ACTIVE)
    assert here.events == []
    here.at(110.0, Role.ACTIVE)
    here.at(111.0, Role.ACTIVE)
    far.far_stands_by = False
    here.at(112.0, Role.ACTIVE)
    here.at(113.0, Role.ACTIVE)
    apart, together = here.events
    assert (apart.kind, apart.subject, apart.severity) == (EventKind.PATH, "line", Severity.WARNING)
    assert (apart.before, apart.after) == ("", APART)
    assert "far gateway of path line has stood by for 10 s" in apart.detail
    assert (together.before, together.after, together.detail) == (APART, TOGETHER, "")
    assert together.severity is Severity.INFO


@pytest.mark.parametrize("held", [None, Role.STANDBY])
def test_who_does_not_serve_is_apart_from_nobody(held):
    here = Gateway()
    here.parts.paths["line"].far_stands_by = True
    for now in (100.0, 110.0, 120.0):
        here.at(now, held)
    assert here.events == []


def test_each_path_has_its_own_time_and_one_that_is_gone_is_forgotten():
    here = Gateway()
    here.parts.paths["line"].far_stands_by = True
    here.at(100.0, Role.ACTIVE)
    here.parts.paths["other"] = SimpleNamespace(far_stands_by=True, verdict=Verdict.UP)
    here.at(105.0, Role.ACTIVE)
    here.at(110.0, Role.ACTIVE)
    assert [e.subject for e in here.events] == ["line"]
    here.at(115.0, Role.ACTIVE)
    assert [e.subject for e in here.events] == ["line", "other"]
    line = here.parts.paths.pop("line")
    here.at(116.0, Role.ACTIVE)
    here.parts.paths["line"] = line
    here.at(117.0, Role.ACTIVE)
    here.at(126.9, Role.ACTIVE)
    assert len(here.events) == 2
    here.at(127.0, Role.ACTIVE)
    assert [e.subject for e in here.events[2:]] == ["line"]


def test_an_order_on_the_partner_is_maintenance_here_and_kept_for_the_next_run():
    here = Gateway()
    here.session.maintenance = here.session.aside = True
    assert here.at(held=Role.ACTIVE) == "", "it serves"
    assert here.at(held=Role.STANDBY) == MAINTENANCE
    assert here.parts.stance.maintenance
    assert here.force.aside
    here.session.maintenance = here.session.aside = False
    assert here.at() == ""
    assert not here.force.aside


def test_the_pair_hears_what_the_far_gateways_are_seen_to_be():
    here = Gateway()
    here.at()
    assert here.parts.pair.far is None
    here.parts.paths["line"].far_stands_by = True
    here.at()
    assert here.parts.pair.far is Role.STANDBY
    here.parts.paths["other"] = SimpleNamespace(far_stands_by=False, verdict=Verdict.UP)
    here.at()
    assert here.parts.pair.far is None, "they differ"
    del here.parts.paths["other"]
    here.parts.paths["line"].far_stands_by = False
    here.at()
    assert here.parts.pair.far is Role.ACTIVE
