"""What people and monitoring read of a status: from recorded documents, on no clock."""

import html
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from havpn_core.daemon.state.events import Record, parse_history
from havpn_core.daemon.state.pair_status import FarStatus, LinkStatus, PartnerStatus
from havpn_core.daemon.state.path_status import FlapStatus, RoadStatus
from havpn_core.daemon.state.reading import typed
from havpn_core.daemon.state.status import FitnessStatus, WitnessStatus
from havpn_core.pair.health.facts import FarFacts, far_facts
from havpn_core.pair.health.holder import holder
from havpn_core.plugging.stance import Stance
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.role import Role
from havpn_core.showing.coloured import coloured
from havpn_core.showing.glance import rows
from havpn_core.showing.health import Level, cover, findings
from havpn_core.showing.nagios import LONGEST, check_line, said
from havpn_core.showing.picture import svg
from havpn_core.showing.rows import BLANK, NARROW, Mood, Row, laid_out, plain
from havpn_core.showing.site import site, site_rows
from havpn_core.showing.words import at, moment, number, one_line, since, span, until

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OLDEST = (Path(__file__).parent / "status.json").read_bytes()
CUT = (DOCS / "status.json").read_bytes()
HISTORY = (DOCS / "status.jsonl").read_bytes()
NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def cut():
    """A gateway whose line is cut, as its daemon wrote that: the partner serves."""
    return typed(json.loads(CUT))


def calm():
    """The same gateway while all is well."""
    status = cut()
    status.role = structs.replace(status.role, wanted="active", observed="active")
    status.holder = "here"
    path = status.paths["line"]
    path.verdict, path.streak, path.failing = "up", 0, None
    path.flaps = FlapStatus(penalty=0.0, hold_s=0.0)
    for name in ("line", "tunnel"):
        if name in path.kinds:
            path.kinds[name].outcome = "ok"
    for probe in path.probes.values():
        probe.outcome, probe.latency_ms = "ok", 12.3
    partner = status.pair.partner
    partner.role, partner.state, partner.path, partner.fit = "standby", "standby", "up", True
    return status


def flat(shown, width=80):
    return " ".join(plain(shown, width).split())


def seen(status, events=()):
    return flat(rows(status, events))


def row_of(status, label):
    return next(row for row in rows(status) if row.label == label)


def words(status):
    return [(each.level, each.text) for each in findings(status)]


# --- rows -----------------------------------------------------------------------------------


def test_rows_are_wrapped_with_their_text_in_one_column():
    shown = plain(
        [
            Row("first", "a b", Mood.GOOD),
            BLANK,
            Row("a longer label", "one two three four five six", Mood.BAD, within=True),
            Row("warned", "x", Mood.WARNING),
        ],
        40,
    )
    assert shown.splitlines() == [
        "   first        a b",
        "",
        "!!   a longer label",
        "                one two three four five",
        "                six",
        "!  warned       x",
    ]


rows_made = st.lists(
    st.builds(
        Row, st.text(max_size=30).map(one_line), st.text(max_size=300).map(one_line),
        st.sampled_from(Mood), st.booleans(),
    )
)  # fmt: skip


@given(rows_made, st.integers(0, 200))
def test_no_line_is_wider_than_it_may_be_and_no_word_is_lost(made, width):
    lines = laid_out(made, width)
    assert all(len(line.plain) <= max(width, NARROW) for line in lines)
    text = "".join("".join(line.text.split()) for line in lines)
    assert text == "".join("".join(row.text.split()) for row in made)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"), (0.0716, "0.072 s"), (9.9, "9.9 s"), (10.4, "10 s"), (59.6, "60 s"),
        (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (7384, "2 h 3 min"),
        (86400, "1 d"), (90000, "1 d 1 h"),
        (float("inf"), "ever"),
    ],
)  # fmt: skip
def test_a_time_is_written_in_its_two_largest_units(seconds, shown):
    assert span(seconds) == shown


def test_moments_are_in_utc_with_the_date_where_that_is_not_today_s():
    assert at(NOW, NOW) == "12:00:00 UTC"
    assert at(moment("2026-01-01T23:59:59.900+02:00"), NOW) == "2026-01-01 21:59:59 UTC"
    assert at(None, NOW) == "an unknown time"
    assert since("2026-01-02T11:58:00Z", NOW) == "since 11:58:00 UTC (2 min)"
    assert since("2026-01-02T12:58:00Z", NOW) == "since 12:58:00 UTC (0 s)"
    assert [since(no, NOW) for no in ("x", "", "2026-01-02T11:58:00")] == ["", "", ""]
    assert until(90, NOW) == "until 12:01:30 UTC (1 min 30 s more)"
    assert until(1e300, None).startswith("until an unknown time")


def test_what_is_no_figure_or_obeys_a_terminal_is_not_shown():
    facts = {"a": 1, "b": True, "c": "1", "d": float("nan"), "e": None, "f": 10**400, "g": 0.5}
    assert {key: number(facts, key) for key in (*facts, "h")} == {
        "a": 1.0, "b": None, "c": None, "d": None, "e": None, "f": None, "g": 0.5, "h": None,
    }  # fmt: skip
    assert one_line("a\x1b[31mb\n c\r\u202e") == "a [31mb c"


# --- one glance -----------------------------------------------------------------------------


def test_all_of_it_is_readable_in_eighty_columns_without_colour():
    history = [event for _, event in parse_history(HISTORY)[0]]
    shown = plain(rows(cut(), history[-3:]))
    assert max(map(len, shown.splitlines())) <= 80
    assert all(line.isprintable() for line in shown.splitlines())
    for label in ("role", "why", "VIP", "takeover", "fit", "path line", "switch", "partner",
                  "link cable", "link lan", "action gateway", "event"):  # fmt: skip
        assert re.search(rf"^(!!|! |  ) *{label} ", shown, re.M), label
    assert len(re.findall(r"^.. event", shown, re.M)) == 3


def test_colours_and_the_picture_say_nothing_more():
    shown = rows(cut())
    text = coloured(shown, 80)
    assert [line.rstrip() for line in text.plain.splitlines()] == plain(shown).splitlines()
    path = next(span for span in text.spans if text.plain[span.start :].startswith("down since"))
    assert path.style == "bold red"
    parts = re.findall(r">([^<]+)</text>", svg(shown, "a & b"))
    assert " ".join(map(html.unescape, parts)).split() == plain(shown).split()
    assert "<title>a &amp; b</title>" in svg(shown, "a & b")


def test_a_cut_is_said_with_what_it_takes_until_it_is_over():
    status = cut()
    status.paths["line"].streak = 0
    said_now = seen(status)
    assert "!! path line down since " in said_now
    assert "VIP 10.1.255.254/16: the partner has it" in said_now
    assert "! takeover not this one: path line is down" in said_now
    assert "switch up after 40 good replies in a row, " in said_now
    status.paths["line"].verdict, status.paths["line"].streak = "recovering", 12
    status.paths["line"].interval_ms = 50.0
    assert "! path line recovering" in seen(status)
    assert "switch up after 12 of 40 good replies in a row, 1.4 s at the least" in seen(status)


def test_a_hold_of_damping_says_until_when():
    status = cut()
    status.written_at, status.age_s = "2026-01-02T12:00:00.000Z", 1.0
    status.paths["line"].flaps = FlapStatus(penalty=3.42, hold_s=480.0)
    held = "! held down by damping until 12:08:01 UTC (8 min more), penalty 3.4"
    assert held in seen(status)
    assert "8 min at the least" in seen(status)
    assert (Level.WARNING, "path line held down by damping for 8 min") in words(status)


def test_a_force_and_a_pause_say_how_they_end():
    status = calm()
    status.written_at, status.age_s = "2026-01-02T12:00:00.000Z", 0.0
    assert "forced" not in seen(status)
    status.role.forced = "active"
    assert "! forced to active by an operator, permanently; havpn switch --to auto" in seen(status)
    status.role.forced_s = 600.0
    assert "! forced to active by an operator, until 12:10:00 UTC (10 min more)" in seen(status)
    assert words(status) == [(Level.WARNING, "forced to active for 10 min more")]
    status.role.forced, status.state = None, "paused"
    assert "! paused by an operator: no role is carried out until havpn resume" in seen(status)
    assert words(status) == [(Level.WARNING, "paused")]


def test_the_loss_is_shown_each_way_where_that_is_known():
    status = calm()
    probe = next(iter(status.paths["line"].probes.values()))
    probe.facts |= {"loss_out": 0.021, "loss_back": None, "rtt_ms": 20.04}
    assert row_of(status, "loss").text == "out 2.1 %, back unknown, round trip 20.0 ms"
    probe.facts["loss_back"] = 0.0
    assert row_of(status, "loss").text == "out 2.1 %, back 0.0 %, round trip 20.0 ms"
    old = typed(json.loads(OLDEST))
    assert row_of(old, "loss").text == "0.6 % both ways together, round trip 0.4 ms"
    assert "_loss_out=" in check_line(status)[1]
    status.paths["line"].verdict = "down"
    assert "loss out" not in seen(status), "nothing comes back: that is what it lost before"
    assert "_loss" not in check_line(status)[1]


def test_errors_are_shown_while_they_last_and_no_longer():
    status = calm()
    action, link = status.actions["gateway"], status.pair.links["lan"]
    link.facts["error"] = "connection refused"
    assert "connection refused" not in seen(status), "the link is alive again"
    link.alive, link.heard_s = False, 12.0
    assert "!! link lan last heard 12 s ago: connection refused" in seen(status)
    link.alive, action.facts["rival"], action.facts["rival_s"] = True, "02:00:00:00:00:09", 4.0
    assert "!! 02:00:00:00:00:09 claims it, too (4 s ago)" in seen(status)
    action.facts["rival_s"] = 61.0
    assert "claims" not in seen(status)
    action.phase, action.error, action.retry_s = "retrying", "no device", 4.0
    assert "!! action gateway retrying, standby; failed: no device; next try in 4 s" in seen(status)


def test_a_notifier_says_since_when_it_fails():
    status = typed(json.loads(OLDEST))
    notifier = status.notifiers["syslog"]
    notifier.failed_at = "2026-11-25T00:59:50.000Z"
    shown = "16 failed; failing since 00:59:50 UTC (8.1 s): /dev/log took no message"
    assert shown in seen(status)
    notifier.error = notifier.failed_at = None
    assert "failing since" not in seen(status)


@pytest.mark.parametrize(
    ("fitness", "shown"),
    [
        (FitnessStatus(fit=True), "fit yes"),
        (FitnessStatus(fit=None), ""),
        (FitnessStatus(fit=None, address=True), "fit unknown"),
        (FitnessStatus(fit=False, certain=True, reason="lan has no carrier"),
         "!! fit UNFIT for certain: lan has no carrier"),
        (FitnessStatus(fit=True, carrier={"lan": True}, forwarding={"ipv4": True, "ipv6": None},
                       witnesses={"10.1.0.10": WitnessStatus(age_s=0.1, replies=True),
                                  "10.1.0.11": WitnessStatus(age_s=None)}),
         "fit carrier of lan, ipv4 forwarding, 1 of 2 witnesses"),
    ],
)  # fmt: skip
def test_fitness_is_one_row(fitness, shown):
    status = calm()
    status.fitness = fitness
    found = [flat([row]) for row in rows(status) if row.label == "fit"]
    assert found == ([shown] if shown else [])


def test_events_have_their_time_and_their_detail():
    status = calm()
    status.written_at = "2026-01-02T12:00:00.000Z"
    events = [
        Record(
            "2026-01-01T23:00:00.000Z", "role", "", "standby", "active", "warning", "why\nso", "g"
        ),
        Record("2026-01-02T11:00:00.000Z", "pair", "", "", "link lost", "error", "", "g"),
    ]
    assert [flat([row]) for row in rows(status, events) if row.label == "event"] == [
        "! event 2026-01-01 23:00:00 role: standby -> active (why so)",
        "!! event 11:00:00 pair: link lost",
    ]


# --- who has the address, who could take over -------------------------------------------------


@pytest.mark.parametrize(
    ("own", "partner", "in_use", "found"),
    [
        ("active", "standby", False, "here"), ("active", None, False, "here"),
        ("active", "active", False, "both"), ("standby", "active", False, "partner"),
        (None, "active", False, "partner"), ("standby", "standby", False, "nobody"),
        ("standby", None, True, "elsewhere"), ("standby", None, False, None),
        (None, None, True, None), (None, "standby", False, None), ("active", None, True, "here"),
    ],
)  # fmt: skip
def test_who_has_the_address_follows_from_both_and_the_lan(own, partner, in_use, found):
    assert holder(own, partner, in_use=in_use) == found


def test_a_stance_is_shown_in_words():
    said_far = Stance(Role.ACTIVE, True, maintenance=True, paused=True, verdict=Verdict.UP)
    assert far_facts(said_far) == FarFacts("active", True, True, True, "up")
    assert far_facts(Stance(), "gw-bb") == FarFacts(None, None, False, False, None, "gw-bb")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, ""), ({"path": "down"}, "its path is down"), ({"fit": False}, "the partner is unfit"),
        ({"fit": None}, ""), ({"paused": True}, "paused"), ({"grey": True}, ""),
        ({"maintenance": True, "failed": True}, "in maintenance, it could not take the role"),
        ({"stopping": True}, "it stops"), ({"hears": False}, "it does not hear this gateway"),
        ({"road": False, "refused": True}, "its far responder is missing, its road is down"),
    ],
)  # fmt: skip
def test_who_serves_knows_whether_the_partner_could_take_over(change, text):
    status = calm()
    status.pair.partner = structs.replace(status.pair.partner, **change)
    found = cover(status)
    assert (found.good, found.text) == (
        (False, f"NOBODY could: {text}") if text else (True, "the partner could take over")
    )
    assert row_of(status, "takeover").mood is (Mood.WARNING if text else Mood.GOOD)


def test_a_silent_partner_covers_nothing():
    status = calm()
    status.pair.partner, status.pair.heard_s, status.pair.dead_s = None, 12.0, 0.15
    status.pair.links = {"lan": LinkStatus(alive=False, heard_s=12.0)}
    shown = seen(status)
    assert "NOBODY could: the partner is silent for 12 s" in shown
    assert "!! partner silent for 12 s (dead after 0.15 s)" in shown
    assert words(status) == [(Level.WARNING, "partner silent for 12 s")]
    status.pair.heard_s = None
    assert "!! partner never heard" in seen(status)
    assert cover(status).text == "NOBODY could: no partner yet"
    status.pair = None
    assert cover(status) is None


# --- monitoring -----------------------------------------------------------------------------


def test_the_line_of_a_healthy_gateway_has_the_form_of_a_plugin_of_nagios():
    status = calm()
    status.age_s, status.pair.heard_s = 0.4, 0.02
    probe = next(iter(status.paths["line"].probes.values()))
    probe.facts |= {"loss_out": 0.01, "loss_back": 0.0}
    level, line = check_line(status)
    assert level is Level.OK
    text, _, figures = line.partition(" | ")
    assert text == "HAVPN OK - gw-aa active, 1 of 1 paths up, partner standby"
    for figure in figures.split():
        assert re.fullmatch(r"[\w.-]+=[-\d.]+(s|%)?;;;\d*;\d*", figure), figure
    for part in ("active=1;;;0;1", "paths_up=1;;;0;1", "line_rtt=0.0123s;;;0;", "age=0.4s;;;0;",
                 "line_loss_out=1%;;;0;100", "links_alive=2;;;0;2",
                 "partner_heard=0.02s;;;0;"):  # fmt: skip
        assert part in figures.split()


@pytest.mark.parametrize(
    ("latency_ms", "shown"),
    [(0.0412, "0.000041"), (0.0001, "0"), (100.0, "0.1"), (1e9, "1000000"), (1e18, f"{10**15}")],
)
def test_a_figure_has_no_exponent_which_graphs_do_not_read(latency_ms, shown):
    status = calm()
    for probe in status.paths["line"].probes.values():
        probe.latency_ms = latency_ms
    assert f" line_rtt={shown}s;;;0; " in check_line(status)[1]


@pytest.mark.parametrize("state", ["stopped", "stale"])
def test_a_daemon_that_does_not_work_has_no_figures_but_its_age(state):
    status = calm()
    status.state, status.age_s = state, 120.0
    assert check_line(status)[1].partition(" | ")[2] == "age=120s;;;0;"


def other(**changes):
    """Say what to change in a calm status, by the way to it."""

    def change(status):
        for way, value in changes.items():
            *parents, last = way.split("__")
            found = status
            for name in parents:
                found = found[name] if isinstance(found, dict) else getattr(found, name)
            setattr(found, last, value)

    return change


@pytest.mark.parametrize(
    ("change", "level", "text"),
    [
        (other(state="stopped"), 2, "the daemon is stopped"),
        (other(state="stale", age_s=120.0), 2, "the daemon does not work, its status is 2 min old"),
        (other(holder="both"), 2, "both gateways have the VIP"),
        (other(holder="nobody"), 2, "nobody has the VIP"),
        (other(role__observed="standby"), 2, "active is wanted, in force is standby"),
        (other(role__observed=None, holder="partner"), 1, "active is wanted, in force is unknown"),
        (other(role__wanted=None), 1, "no role is decided yet"),
        (other(paths__line__verdict="down"), 2, "path line down"),
        (other(paths__line__verdict="unknown"), 2, "path line unknown"),
        (other(paths__line__verdict="down", role__observed="standby", role__wanted="standby"), 1,
         "path line down"),
        (other(paths__line__verdict="recovering"), 1, "path line recovering"),
        (other(paths__line__verdict="failing"), 0, ""),
        (other(paths__line__refused_s=3.0), 1, "path line far responder missing for 3 s: the far "
         "host refuses"),
        (other(paths__line__road=RoadStatus(verdict="failed", probing="full")), 1,
         "road of path line failed"),
        (other(paths__line__road=RoadStatus(verdict="failed", probing="slow")), 0, ""),
        (other(fitness=FitnessStatus(fit=False, reason="no carrier")), 1, "unfit: no carrier"),
        (other(pair__partner__path="down"), 1, "partner's path down"),
        (other(pair__partner__fit=False), 1, "partner unfit"),
        (other(pair__partner__paused=True), 1, "partner: paused"),
        (other(pair__links__cable__alive=False), 1, "link cable dead"),
        (other(pair__dead_raised=True), 1, "pair.dead raised"),
        (other(actions__gateway__error="no device"), 1, "action gateway fails: no device"),
        (other(actions__gateway__phase="overridden"), 1, "action gateway overridden"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_has_its_level_and_its_words(change, level, text):
    status = calm()
    change(status)
    assert words(status) == ([(Level(level), text)] if text else [])
    found, line = check_line(status)
    assert found == level
    assert line.startswith(f"HAVPN {Level(level).name} - gw-aa {text}")


def test_the_worst_comes_first_and_a_line_is_a_line():
    status = calm()
    status.pair.partner.path, status.holder = "down", "nobody"
    assert [level for level, _ in words(status)] == [2, 1]
    status.actions["gateway"].error = "a | b\n" + "c" * 1000
    line = check_line(status)[1]
    assert line.count("|") == 1
    assert "\n" not in line
    assert len(line.partition(" | ")[0]) <= LONGEST + 30
    assert said(Level.UNKNOWN, "no\nfile|x") == "HAVPN UNKNOWN - no file/x"


# --- the whole site -------------------------------------------------------------------------


def test_all_four_gateways_are_there_and_unknown_where_nobody_says():
    status = typed(json.loads(OLDEST))
    found = site(status)
    assert [(each.place, each.name, each.role) for each in found.gateways] == [
        ("this", "gw-aa", "standby"), ("partner", "", "active"), ("far", "line", None),
        ("far", "plain", None), ("partner's far", "", None),
    ]  # fmt: skip
    shown = flat(site_rows(found))
    assert "! far of line unknown (no probe of type stream says it)" in shown
    assert "! partner's far unknown (the partner does not say it)" in shown
    status.pair = None
    assert "! partner unknown (no [pair]: nothing is exchanged with it)" in flat(
        site_rows(site(status))
    )


FAR = {"role": "active", "fit": True, "maintenance": False, "paused": True, "verdict": "up"}


@pytest.mark.parametrize(
    ("far", "shown"),
    [
        (FAR | {"age_s": 0.01},
         "! far of line active, path up, fit, paused (stream, 0.01 s ago)"),
        (FAR | {"age_s": 3.5}, "! far of line unknown (stream: silent for 3.5 s)"),
        (FAR, "! far of line unknown (stream: nothing heard yet)"),
        (None, "! far of line unknown (stream: nothing heard yet)"),
        ("active", "! far of line unknown (stream: nothing heard yet)"),
        (FAR | {"age_s": 0.01, "name": "gw-ba"},
         "! far of line gw-ba active, path up, fit, paused (stream, 0.01 s ago)"),
        (FAR | {"age_s": 3.5, "name": "gw-ba"},
         "! far of line unknown (stream: silent for 3.5 s)"),
        ({"role": 7, "fit": "yes", "verdict": None, "age_s": 0.0, "name": 9},
         "! far of line unknown (stream)"),
    ],
)  # fmt: skip
def test_the_far_gateway_is_what_its_stream_says_while_that_is_fresh(far, shown):
    status = calm()
    probe = next(iter(status.paths["line"].probes.values()))
    probe.facts["far"] = far
    rows = [row for row in site_rows(site(status)) if row.label.startswith("far of line")]
    assert flat(rows) == shown


def test_what_a_dead_daemon_knew_of_the_others_is_as_old_as_its_status():
    status = calm()
    status.state, status.age_s, status.pair.heard_s = "stale", 7200.0, 0.25
    next(iter(status.paths["line"].probes.values())).facts["far"] = FAR | {"age_s": 0.01}
    ages = {each.place: each.age_s for each in site(status).gateways}
    assert (ages["this"], ages["partner"], ages["far"]) == (7200.0, 7200.25, 7200.01)
    shown = flat(site_rows(site(status)))
    assert "! far of line unknown (stream: silent for 2 h)" in shown
    assert re.search(r"partner standby, .*\(links, 2 h ago\)", shown), shown


def test_the_partner_passes_on_what_its_far_gateway_says():
    status = calm()
    status.pair.partner = PartnerStatus(
        state="standby", role="standby", path="up", fit=True,
        far=FarStatus(role="standby", fit=False, maintenance=True, verdict="up"),
    )  # fmt: skip
    shown = flat(site_rows(site(status)))
    assert "! partner's far standby, path up, UNFIT, in maintenance (the partner's stream" in shown
    status.pair.partner.name, status.pair.partner.far.name = "gw-ab", "gw-bb"
    shown = flat(site_rows(site(status)))
    assert " partner gw-ab standby, path up, fit (links" in shown
    assert "! partner's far gw-bb standby, path up, UNFIT" in shown
    assert [each.node for each in site(status).gateways] == ["gw-aa", "gw-ab", "", "gw-bb"]


# --- the picture of the documentation ---------------------------------------------------------


def test_the_picture_is_what_the_command_draws():
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core.cli.pictures", str(DOCS / "status.json")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ended.stdout == (DOCS / "status.svg").read_text(), (
        "python -m havpn_core.cli.pictures docs/status.json > docs/status.svg"
    )
    assert "path line" in ended.stdout
    assert "http" not in ended.stdout.replace("http://www.w3.org/2000/svg", "")
