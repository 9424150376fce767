"""Whether a gateway can serve, by the clock of the test: holds, witnesses and the one judgement."""

import pytest

from havpn_core.rules.fitness import Fitness
from havpn_core.rules.fitness.hold import CALM_S, FIRST_S, MOST_S, Hold
from havpn_core.rules.fitness.hosts import (
    CALL_S,
    MOST_MACS,
    PROBE_S,
    SLOW_AFTER_S,
    SLOW_S,
    WINDOW_S,
    Host,
    independent,
)
from havpn_core.rules.fitness.judge import Facts, Judge
from havpn_core.rules.fitness.partner import PartnerView
from havpn_core.rules.fitness.witnesses import (
    HEARD_S,
    LATE_S,
    MOST_FOUND,
    SETTLE_S,
    TRIED_S,
    Target,
    Witnesses,
)
from tests.core.values import replace

FIT, UNKNOWN = Fitness(True), Fitness()
OURS, PARTNER_MAC = b"\x02" + bytes(4) + b"\x01", b"\x02" + bytes(4) + b"\x02"


def mac(number):
    return b"\x02" + bytes(4) + bytes([number])


# --- the hold ------------------------------------------------------------------------------------


def test_a_state_that_was_never_bad_is_good_at_once():
    hold = Hold()
    assert hold.take(True, 5.0) is True
    assert hold.until_s is None


def test_bad_counts_at_once_and_good_after_a_hold():
    hold = Hold()
    assert hold.take(False, 1.0) is False
    assert hold.until_s is None
    assert hold.take(True, 2.0) is False
    assert hold.until_s == 2.0 + FIRST_S
    assert hold.take(True, 2.0 + FIRST_S - 0.001) is False
    assert hold.take(True, 2.0 + FIRST_S) is True
    assert hold.until_s is None
    assert hold.take(True, 2.0 + FIRST_S + 0.1) is True


def test_a_loss_during_the_hold_begins_it_anew():
    hold = Hold()
    hold.take(False, 0.0)
    hold.take(True, 1.0)
    assert hold.take(False, 1.1) is False
    assert hold.until_s is None
    assert hold.take(True, 1.2) is False
    assert hold.until_s == 1.2 + 2 * FIRST_S


def test_a_port_that_flaps_is_held_longer_up_to_a_limit():
    hold, holds, now = Hold(), [], 0.0
    for _ in range(7):
        hold.take(False, now)
        hold.take(False, now + 0.5)  # still the same loss
        hold.take(True, now + 1)
        holds.append(hold.until_s - now - 1)
        now += CALM_S - 0.001
    assert holds == pytest.approx([0.5, 1, 2, 4, 8, 8, 8])
    assert (FIRST_S, MOST_S) == (0.5, 8.0)


def test_a_loss_after_a_calm_time_is_a_first_one():
    hold = Hold()
    hold.take(False, 0.0)
    hold.take(True, 1.0)
    hold.take(False, CALM_S)
    hold.take(True, CALM_S + 1)
    assert hold.until_s == CALM_S + 1 + FIRST_S


# --- one host ------------------------------------------------------------------------------------


def test_a_host_is_live_within_the_window_of_its_last_reply():
    host = Host("10.1.0.10", 0.0)
    assert not host.live(0.0)
    assert host.heard_s is None
    assert host.mac == b""
    host.hear(mac(9), 1.0)
    assert host.live(1.0 + WINDOW_S - 0.001)
    assert not host.live(1.0 + WINDOW_S)
    assert host.mac == mac(9)


def test_a_host_keeps_the_latest_time_of_each_mac_and_forgets_the_oldest():
    host = Host("10.1.0.10", 0.0)
    host.hear(mac(1), 5.0)
    host.hear(mac(1), 4.0)
    assert host.macs == {mac(1): 5.0}
    for number in range(2, MOST_MACS + 1):
        host.hear(mac(number), 5.0 + number)
    assert len(host.macs) == MOST_MACS == 4
    host.hear(mac(50), 50.0)
    assert mac(1) not in host.macs
    assert len(host.macs) == MOST_MACS
    assert (host.mac, host.heard_s) == (mac(50), 50.0)


def test_a_host_s_times_are_shifted_together():
    host = Host("10.1.0.10", 1.0)
    host.hear(mac(1), 2.0)
    host.shift(0.5, 9.0)
    assert (host.since_s, host.macs) == (1.5, {mac(1): 2.5})


def test_a_silent_host_is_probed_more_slowly():
    host = Host("10.1.0.10", 10.0)
    assert host.due(20.0)  # never probed yet
    host.probe(11.0)
    assert host.due(10.0 + SLOW_AFTER_S - 0.001)
    host.probe(12.0)
    assert not host.due(12.0 + SLOW_S - 0.001)
    assert host.due(12.0 + SLOW_S)
    host.hear(mac(1), 12.1)
    assert host.due(12.2)
    assert host.due(12.1 + SLOW_AFTER_S - 0.001)
    host.probe(12.1 + SLOW_AFTER_S)
    assert not host.due(12.1 + SLOW_AFTER_S)


def test_a_host_is_addressed_by_name_while_it_replies_and_called_now_and_then():
    host = Host("10.1.0.10", 0.0)
    assert host.probe(0.0) == b""
    host.hear(mac(1), 0.01)
    assert host.probe(0.1) == mac(1)
    assert host.probe(0.01 + 2 * PROBE_S) == mac(1)
    assert host.probe(0.011 + 2 * PROBE_S + 0.001) == b""  # no reply to two probes
    called = host.called_s
    host.hear(mac(1), called + CALL_S - 0.001)
    assert host.probe(called + CALL_S - 0.001) == mac(1)
    assert host.probe(called + CALL_S) == b""
    assert host.probed_s == called + CALL_S


def test_hosts_speak_for_themselves_as_many_as_both_addresses_and_macs():
    a, b, c = (Host(f"10.1.0.{n}", 0.0) for n in (1, 2, 3))
    assert independent([], 0.0) == 0
    assert independent([a, b], 0.0) == 0
    for host in (a, b, c):
        host.hear(mac(66), 1.0)
    assert independent([a, b, c], 0.0) == 1
    a.hear(mac(1), 1.0)
    assert independent([a, b, c], 0.0) == 2
    b.hear(mac(2), 1.0)
    c.hear(mac(3), 1.0)
    assert independent([a, b, c], 0.0) == 3
    assert independent([a, b, c], 1.0) == 0
    one = Host("10.1.0.9", 0.0)
    one.hear(mac(1), 1.0)
    one.hear(mac(2), 1.0)
    assert independent([one], 0.0) == 1


# --- witnesses -----------------------------------------------------------------------------------


class Lan:
    """Hosts that reply 2 ms after each probe, as long as they are on; the clock is the test's."""

    def __init__(self, witnesses, hosts, now=0.0):
        self.witnesses, self.hosts, self.now = witnesses, dict(hosts), now
        self.on = set(hosts)
        self.partner = None
        self.said = UNKNOWN
        self.history = []

    def step(self):
        self.now = round(self.now + PROBE_S, 6)
        self.witnesses.look(self.now)
        for target in self.witnesses.targets(self.now):
            if target.address in self.on:
                self.witnesses.reply(target.address, self.hosts[target.address], self.now + 0.002)
        self.said = self.witnesses.fitness(self.partner, self.now)
        if not self.history or self.history[-1][1] != self.said:
            self.history.append((self.now, self.said))
        return self.said

    def run(self, seconds):
        until = self.now + seconds - 1e-9
        while self.now < until:
            self.step()
            if self.partner is not None and not self.partner.silent:
                self.partner = replace(self.partner, heard_s=self.now)
        return self.said


THREE = {f"10.1.0.{n}": mac(n) for n in (10, 11, 12)}


def listed(require=1, hosts=THREE):
    return Lan(Witnesses([*hosts], require, 0.0), hosts)


def auto(hosts=THREE, partner=None):
    lan = Lan(Witnesses([], 1, 0.0), hosts)
    lan.partner = partner
    for address in hosts:
        lan.witnesses.seen(address, 0.0)
    return lan


HEARS = PartnerView(False, True, 0.0, PARTNER_MAC)
DEAF = PartnerView(False, False, 0.0, PARTNER_MAC)
DUMB = PartnerView(False, None, 0.0, PARTNER_MAC)
SILENT = PartnerView(True)


def test_listed_witnesses_that_reply_make_fit():
    lan = listed(3)
    assert lan.witnesses.hears is None
    assert lan.run(1.0) == FIT
    assert lan.witnesses.hears is True
    assert lan.witnesses.lost_s is None


@pytest.mark.parametrize(("require", "on", "fit"), [(1, 1, True), (2, 1, False), (2, 2, True)])
def test_as_many_listed_witnesses_must_reply_as_required(require, on, fit):
    lan = listed(require)
    lan.run(1.0)
    lan.on = {*[*THREE][:on]}
    assert lan.run(1.0).fit is fit


def test_listed_witnesses_lost_are_unfit_after_a_window_and_the_partner_s_time():
    lan = listed()
    lan.run(1.0)
    lan.on = set()
    lan.run(0.4)
    assert lan.witnesses.lost_s is None
    assert lan.witnesses.hears is True
    lan.step()  # 1.002 + WINDOW_S has gone by
    assert lan.witnesses.lost_s == pytest.approx(1.5)
    assert lan.witnesses.hears is False
    assert lan.said == FIT
    assert lan.run(0.1) == FIT
    assert lan.step().unfit
    assert lan.now == pytest.approx(1.5 + SETTLE_S)
    assert lan.said.reason == "fewer than 1 witnesses on the LAN reply"
    assert not lan.said.certain


def test_listed_witnesses_that_never_reply_make_unfit_but_never_certain():
    lan = listed(2)
    lan.on, lan.partner = set(), SILENT
    lan.run(WINDOW_S - PROBE_S)
    assert lan.witnesses.lost_s is None
    lan.step()
    assert lan.witnesses.lost_s == pytest.approx(WINDOW_S)
    said = lan.run(1.0)
    assert said == Fitness(
        False, reason="fewer than 2 witnesses on the LAN reply, and the partner is silent"
    )


def test_the_return_of_the_witnesses_makes_fit():
    lan = listed(2)
    lan.run(1.0)
    lan.on = set()
    assert lan.run(1.0).unfit
    lan.on = {*[*THREE][:1]}
    assert lan.run(1.0).unfit
    lan.on = {*THREE}
    assert lan.run(0.6) == FIT
    assert lan.witnesses.together is False


@pytest.mark.parametrize(
    ("partner", "fit", "certain", "reason"),
    [
        (None, False, False, "fewer than 1 witnesses on the LAN reply"),
        (SILENT, False, True, "fewer than 1 witnesses on the LAN reply, and the partner is silent"),
        (
            HEARS,
            False,
            False,
            "fewer than 1 witnesses on the LAN reply here, enough to the partner",
        ),
        (DEAF, None, False, ""),
        (DUMB, False, False, "fewer than 1 witnesses on the LAN reply, and the partner has none"),
    ],
)
def test_what_the_partner_says_of_listed_witnesses(partner, fit, certain, reason):
    lan = listed()
    lan.partner = partner
    lan.run(1.0)
    lan.on = set()
    assert lan.run(1.0) == Fitness(fit, certain, reason)


@pytest.mark.parametrize(
    ("partner", "fit", "certain", "reason"),
    [
        (None, None, False, ""),
        (SILENT, False, True, "no witness on the LAN reply, and the partner is silent"),
        (HEARS, False, False, "no witness on the LAN reply here, enough to the partner"),
        (DEAF, None, False, ""),
        (DUMB, None, False, ""),
    ],
)
def test_what_the_partner_says_of_found_witnesses(partner, fit, certain, reason):
    lan = auto(partner=partner)
    assert lan.run(1.0) == FIT
    lan.on = set()
    assert lan.run(1.0) == Fitness(fit, certain, reason)
    assert lan.witnesses.hears is False


def test_one_listed_witness_lost_while_the_partner_is_silent_is_not_certain():
    lan = listed(1, {"10.1.0.10": mac(10)})
    lan.partner = SILENT
    lan.run(1.0)
    lan.on = set()
    said = lan.run(1.0)
    assert said.unfit
    assert not said.certain


def test_witnesses_lost_one_after_the_other_are_not_certain():
    lan = listed(1)
    lan.partner = SILENT
    lan.run(1.0)
    for address in THREE:
        lan.on.discard(address)
        lan.run(WINDOW_S + PROBE_S)
    said = lan.run(1.0)
    assert said.unfit
    assert not said.certain


def test_one_that_replies_after_the_loss_ends_the_certainty():
    lan = listed(2)
    lan.partner = SILENT
    lan.run(1.0)
    lan.on = set()
    assert lan.run(1.0).certain
    lan.on = {*[*THREE][:1]}
    said = lan.run(1.0)
    assert said.unfit
    assert not said.certain


def test_the_partner_s_word_counts_only_once_it_can_know():
    lan = listed()
    lan.run(1.0)
    lan.on = set()
    lan.run(0.5)
    lost = lan.witnesses.lost_s
    ask = lan.witnesses.fitness
    assert ask(replace(HEARS, heard_s=lost + SETTLE_S - 0.001), lost + 3) == FIT
    assert ask(replace(HEARS, heard_s=None), lost + 3) == FIT
    assert ask(SILENT, lost + SETTLE_S - 0.001) == FIT
    assert ask(replace(HEARS, heard_s=lost + SETTLE_S), lost + SETTLE_S).unfit
    # Once said it goes on until the partner says something else.
    assert ask(replace(HEARS, heard_s=lost), lost + 3).unfit
    assert ask(replace(DEAF, heard_s=lost + 2), lost + 3) == UNKNOWN


def test_the_switch_dies_for_both_and_nobody_is_unfit():
    """The partner loses its witnesses a probe later than we do."""
    lan = auto(partner=HEARS)
    lan.run(1.0)
    lan.on = set()
    while lan.witnesses.lost_s is None:
        lan.step()
    # Its window ends a probe after ours, and it says so at once.
    lan.partner = replace(HEARS, heard_s=lan.witnesses.lost_s + PROBE_S)
    assert lan.step() == FIT
    lan.partner = replace(DEAF, heard_s=lan.witnesses.lost_s + PROBE_S + 0.01)
    assert lan.step() == FIT
    assert lan.run(5.0) == UNKNOWN
    assert not any(said.unfit for _, said in lan.history)


def test_clients_that_are_switched_off_one_by_one_make_nobody_unfit():
    lan = auto(partner=SILENT)
    lan.run(1.0)
    for address in THREE:
        lan.on.discard(address)
        lan.run(WINDOW_S + 2 * PROBE_S)
    lan.run(3.0)
    assert lan.said == UNKNOWN
    assert lan.witnesses.hears is None
    assert not any(said.unfit for _, said in lan.history)


def test_two_that_are_lost_within_one_window_are_lost_together():
    lan = auto(partner=SILENT)
    lan.run(1.0)
    lan.on.discard("10.1.0.12")
    lan.run(3.0)
    lan.on.discard("10.1.0.11")
    lan.run(0.3)
    lan.on.discard("10.1.0.10")
    assert lan.run(1.0).certain


def test_a_witness_that_fades_while_others_reply_is_dropped():
    lan = auto()
    lan.run(1.0)
    lan.on.discard("10.1.0.12")
    lan.run(0.4)
    assert len(lan.witnesses.hosts) == 3
    lan.run(0.2)
    assert {host.address for host in lan.witnesses.hosts} == {"10.1.0.10", "10.1.0.11"}


def test_a_stranger_that_answers_for_every_witness_is_one_witness():
    stranger = dict.fromkeys(THREE, mac(66))
    lan = auto(stranger, SILENT)
    assert lan.run(1.0) == FIT
    lan.on = set()
    assert lan.run(2.0) == UNKNOWN
    assert not any(said.unfit for _, said in lan.history)
    two = listed(2, stranger)
    assert two.run(2.0).unfit


def test_a_stranger_beside_the_true_hosts_takes_no_witness_away():
    lan = listed(3)
    lan.run(1.0)
    for _ in range(10):
        lan.step()
        for address in THREE:
            lan.witnesses.reply(address, mac(66), lan.now + 0.003)
    assert lan.said == FIT


def test_lost_witnesses_that_return_are_all_kept():
    lan = auto(partner=SILENT)
    lan.run(1.0)
    lan.on = set()
    assert lan.run(10.0).certain
    lan.on = {"10.1.0.10"}
    while not lan.witnesses.hears:
        lan.step()  # they are probed slowly by now
    assert lan.said == FIT
    lan.run(0.2)
    assert len(lan.witnesses.hosts) == 3
    lan.on = {*THREE}
    assert lan.run(0.7) == FIT
    assert {host.address for host in lan.witnesses.hosts} == {*THREE}


def test_somebody_new_who_replies_proves_the_lan():
    lan = auto(partner=HEARS)
    lan.run(1.0)
    lan.on = set()
    assert lan.run(2.0).unfit
    lan.hosts["10.1.0.77"] = mac(77)
    lan.on = {"10.1.0.77"}
    lan.witnesses.seen("10.1.0.77", lan.now)
    assert lan.run(0.5) == FIT


def test_who_is_heard_but_does_not_reply_is_no_witness():
    lan = auto()
    lan.on = set()
    lan.run(TRIED_S - PROBE_S)
    assert len(lan.witnesses.hosts) == 3
    # since_s is the time of the first look.
    lan.run(2 * PROBE_S)
    assert lan.witnesses.hosts == []
    assert lan.said == UNKNOWN


def test_only_so_many_are_probed_and_the_latest_first():
    witnesses = Witnesses([], 1, 0.0)
    for number in range(40):
        witnesses.seen(f"10.1.0.{number}", number / 1000)
    witnesses.look(0.1)
    assert [h.address for h in witnesses.hosts] == [f"10.1.0.{n}" for n in (39, 38, 37, 36)]
    assert MOST_FOUND == 4
    witnesses.look(0.1 + TRIED_S)  # late: its time does not count
    assert len(witnesses.hosts) == 4
    seen = {h.address for h in witnesses.hosts}
    for step in range(1, 60):
        witnesses.look(1.1 + step / 10)
        seen |= {h.address for h in witnesses.hosts}
    assert seen == {f"10.1.0.{n}" for n in range(24, 40)}  # 16 are remembered


def test_who_was_heard_too_long_ago_is_no_candidate():
    for at_s, there in ((HEARD_S - 0.001, True), (HEARD_S, False)):
        witnesses = Witnesses([], 1, 0.0)
        witnesses.seen("10.1.0.10", 0.0)
        witnesses.look(at_s)
        assert bool(witnesses.hosts) is there


def test_a_witness_that_is_seen_again_is_no_candidate_besides():
    lan = auto()
    lan.run(1.0)
    lan.witnesses.seen("10.1.0.10", lan.now)
    assert "10.1.0.10" not in lan.witnesses._heard


def test_listed_witnesses_find_nobody():
    lan = listed()
    lan.witnesses.seen("10.1.0.99", 0.0)
    lan.run(1.0)
    assert {host.address for host in lan.witnesses.hosts} == {*THREE}
    lan.witnesses.reply("10.1.0.99", mac(99), 1.0)
    assert {host.address for host in lan.witnesses.hosts} == {*THREE}


def test_this_gateway_and_its_partner_are_no_witnesses():
    hosts = {"10.1.0.10": mac(10), "10.1.0.2": PARTNER_MAC, "10.1.0.1": OURS}
    lan = auto(hosts, SILENT)
    for _ in range(20):
        lan.witnesses.exclude(["10.1.0.1"], [PARTNER_MAC])
        lan.step()
    lan.witnesses.exclude(["10.1.0.1"], [PARTNER_MAC])
    assert [h.address for h in lan.witnesses.hosts if h.heard_s is not None] == ["10.1.0.10"]
    lan.witnesses.seen("10.1.0.1", lan.now)
    lan.witnesses.exclude(["10.1.0.1"], [])
    lan.step()
    assert "10.1.0.1" not in {h.address for h in lan.witnesses.hosts}
    lan.on = set()
    assert lan.run(2.0) == UNKNOWN


def test_a_listed_witness_stays_though_it_is_excluded():
    lan = listed(1, {"10.1.0.2": PARTNER_MAC})
    for _ in range(10):
        lan.step()
        lan.witnesses.exclude(["10.1.0.2"], [PARTNER_MAC])
    assert [h.address for h in lan.witnesses.hosts] == ["10.1.0.2"]
    assert lan.run(0.0).unfit or lan.step().unfit


def test_a_gateway_that_was_late_itself_loses_nobody():
    lan = listed()
    lan.run(1.0)
    lan.now += 30.0
    lan.witnesses.look(lan.now)
    assert lan.witnesses.hears is True
    lan.on = set()
    lan.run(WINDOW_S - 2 * PROBE_S)
    assert lan.witnesses.lost_s is None
    lan.run(2 * PROBE_S)
    assert lan.witnesses.hears is False
    lost = lan.witnesses.lost_s
    lan.witnesses.look(lan.now + 30.0)
    assert lan.witnesses.lost_s == pytest.approx(lost + 30.0 - PROBE_S)


def test_a_little_late_is_not_late():
    lan = listed()
    lan.run(1.0)
    lan.witnesses.look(1.0 + LATE_S)
    lan.witnesses.look(1.0 + 2 * LATE_S)
    assert lan.witnesses.hears is False


def test_a_late_start_gives_the_listed_witnesses_their_window():
    witnesses = Witnesses(["10.1.0.10"], 1, 0.0)
    witnesses.look(30.0)
    assert witnesses.hears is None
    witnesses.look(30.2)
    assert witnesses.hears is None
    witnesses.look(30.3)
    assert witnesses.hears is False


def test_targets_name_address_and_mac():
    witnesses = Witnesses(["10.1.0.10"], 1, 0.0)
    assert witnesses.targets(0.0) == [Target("10.1.0.10", b"")]
    witnesses.reply("10.1.0.10", mac(10), 0.01)
    assert witnesses.targets(0.1) == [Target("10.1.0.10", mac(10))]
    witnesses.targets(SLOW_AFTER_S + 0.1)
    assert witnesses.targets(SLOW_AFTER_S + 0.2) == []


# --- the judgement -------------------------------------------------------------------------------


def test_nothing_known_is_unknown():
    assert Judge().judge(Facts(), UNKNOWN, 0.0) == UNKNOWN
    assert Judge().judge(Facts(forwarding={"IPv6": None}), UNKNOWN, 0.0) == UNKNOWN


@pytest.mark.parametrize(
    "facts",
    [Facts(carrier={"lan": True}), Facts(forwarding={"IPv4": True}), Facts(address=True)],
)
def test_anything_good_and_nothing_bad_is_fit(facts):
    assert Judge().judge(facts, UNKNOWN, 0.0) == FIT


def test_witnesses_alone_make_fit():
    assert Judge().judge(Facts(), FIT, 0.0) == FIT


@pytest.mark.parametrize(
    ("facts", "certain", "reason"),
    [
        (Facts(carrier={"lan": False}), True, "device lan has no carrier"),
        (Facts(carrier={"a": True, "b": False}), True, "device b has no carrier"),
        (Facts(forwarding={"IPv4": True, "IPv6": False}), False, "forwarding of IPv6 is off"),
        (Facts(address=False), False, "the own address on the LAN is missing"),
    ],
)
def test_each_lack_is_unfit_with_its_reason(facts, certain, reason):
    assert Judge().judge(facts, FIT, 0.0) == Fitness(False, certain, reason)


def test_what_is_certain_comes_first():
    facts = Facts(forwarding={"IPv4": False}, address=False)
    lost = Fitness(False, certain=True, reason="lost")
    assert Judge().judge(facts, lost, 0.0) == Fitness(
        False, True, "lost; forwarding of IPv4 is off; the own address on the LAN is missing"
    )


def test_a_carrier_that_is_back_is_held_and_no_longer_certain():
    judge, facts = Judge(), Facts(carrier={"lan": True})
    assert judge.judge(facts, UNKNOWN, 0.0) == FIT
    assert judge.wake_s is None
    assert judge.judge(Facts(carrier={"lan": False}), UNKNOWN, 1.0).certain
    assert judge.wake_s is None
    said = judge.judge(facts, UNKNOWN, 2.0)
    assert said == Fitness(False, reason="device lan has its carrier back only now")
    assert judge.wake_s == 2.0 + FIRST_S
    assert judge.judge(facts, UNKNOWN, 2.0 + FIRST_S) == FIT
    assert judge.wake_s is None


def test_witnesses_that_are_back_are_held():
    judge = Judge()
    assert judge.judge(Facts(), Fitness(False, reason="lost"), 1.0) == Fitness(False, reason="lost")
    said = judge.judge(Facts(), FIT, 2.0)
    assert said == Fitness(False, reason="the witnesses on the LAN reply again only now")
    assert judge.wake_s == 2.0 + FIRST_S
    assert judge.judge(Facts(), FIT, 2.0 + FIRST_S) == FIT


def test_forwarding_and_address_are_good_again_at_once():
    judge = Judge()
    assert judge.judge(Facts(forwarding={"IPv4": False}, address=False), UNKNOWN, 1.0).unfit
    assert judge.judge(Facts(forwarding={"IPv4": True}, address=True), UNKNOWN, 1.1) == FIT


def test_two_ports_are_held_apart():
    judge = Judge()
    judge.judge(Facts(carrier={"a": False, "b": True}), UNKNOWN, 0.0)
    judge.judge(Facts(carrier={"a": True, "b": False}), UNKNOWN, 1.0)
    judge.judge(Facts(carrier={"a": True, "b": True}), UNKNOWN, 1.2)
    assert judge.wake_s == 1.0 + FIRST_S
    said = judge.judge(Facts(carrier={"a": True, "b": True}), UNKNOWN, 1.5)
    assert said.reason == "device b has its carrier back only now"


# --- the reason -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fitness", "why"),
    [
        (Fitness(), ""),
        (Fitness(True), ""),
        (Fitness(True, reason="of before"), ""),
        (Fitness(None, reason="no witness is known"), ""),
        (Fitness(False, reason="forwarding of IPv4 is off"), "forwarding of IPv4 is off"),
        (Fitness(False, certain=True, reason="lan: no carrier"), "lan: no carrier"),
        (Fitness(False), "unfit"),
        (Fitness(False, certain=True), "unfit"),
    ],
)
def test_who_cannot_serve_always_has_a_reason_and_nobody_else(fitness, why):
    assert fitness.why == why
    assert bool(fitness.why) is fitness.unfit


# --- found witnesses that come and go, at their very moments ------------------------------------


def found(at_s, *numbers):
    """Give witnesses of which these hosts were heard, and replied, at a moment."""
    witnesses = Witnesses([], 1, at_s)
    for number in numbers:
        witnesses.seen(str(number), at_s)
    witnesses.look(at_s)
    for number in numbers:
        witnesses.reply(str(number), mac(number), at_s)
    return witnesses


def names(witnesses):
    return sorted(host.address for host in witnesses.hosts)


def test_at_first_nobody_was_lost_together():
    assert Witnesses(["1"], 1, 0.0).together is False


def course(witnesses, begin_s, replies, end_s):
    """Look every tenth of a second; ``replies`` are hosts by the tenths in which they reply."""
    for tenths in range(round((end_s - begin_s) * 10) + 1):
        now_s = round(begin_s + tenths / 10, 1)
        for number in replies.get(now_s, ()):
            witnesses.reply(str(number), mac(number), now_s)
        witnesses.look(now_s)


def test_one_that_fades_is_compared_with_who_replied_last():
    witnesses = found(20.6, 1, 2, 3)
    course(witnesses, 20.7, {20.8: [2], 20.9: [1]}, 20.9)
    assert names(witnesses) == ["1", "2", "3"]
    course(witnesses, 21.0, {21.0: [1], 21.1: [1]}, 21.0)
    assert names(witnesses) == ["1", "2", "3"]
    course(witnesses, 21.1, {21.1: [1]}, 21.1)
    assert names(witnesses) == ["1", "2"]


def test_no_more_are_probed_while_there_are_enough_that_reply():
    first, *others = range(1, MOST_FOUND + 1)
    witnesses = found(20.0, first, *others)
    witnesses.seen("99", 20.1)
    course(witnesses, 20.1, {20.1: others, 20.3: others}, 20.3)
    assert "99" not in names(witnesses)
    # One of them fades, and there is room again for who was heard within the last half minute.
    course(witnesses, 20.4, {20.5: others}, 20.5)
    assert str(first) not in names(witnesses)
    assert "99" in names(witnesses)


def test_a_reply_at_the_end_of_a_pause_is_from_now_and_not_from_later():
    witnesses = found(20.0, 1, 2)
    witnesses.reply("1", mac(1), 50.0)
    witnesses.look(50.0)
    host = next(host for host in witnesses.hosts if host.address == "1")
    assert host.heard_s == 50.0


def lost_and_back():
    """Give three that were lost together, of which two reply again, the later one at 22.0."""
    witnesses = found(20.0, 1, 2, 3)
    course(witnesses, 20.1, {}, 21.9)
    assert (witnesses.hears, witnesses.together) == (False, True)
    witnesses.reply("2", mac(2), 21.7)
    course(witnesses, 22.0, {22.0: [1]}, 22.0)
    return witnesses


def test_the_others_have_a_window_from_the_latest_reply_of_those_that_are_back():
    witnesses = lost_and_back()
    course(witnesses, 22.1, {22.3: [1, 2]}, 22.3)
    assert names(witnesses) == ["1", "2", "3"]
    course(witnesses, 22.4, {22.5: [1, 2]}, 22.5)
    assert names(witnesses) == ["1", "2"]


def test_time_in_which_this_gateway_stood_still_is_not_part_of_that_window():
    witnesses = lost_and_back()
    later_s = 22.0 + 2 * LATE_S
    for number in (1, 2):
        witnesses.reply(str(number), mac(number), later_s)
    witnesses.look(later_s)
    assert names(witnesses) == ["1", "2", "3"]
