"""What the responder must be able to serve, against what a far end like this one sends."""

import pytest

from havpn_core.cli.check import warnings
from havpn_core.config.demand import short_budgets
from havpn_core.config.read import load
from havpn_core.echo.demand import Pace, least_rate, least_total
from havpn_core.echo.gate import Gate, RespondOptions

FAST = Pace(0.025, 0.005, 12)
CASES = [
    ([FAST], 40, 40),
    ([FAST, FAST], 40, 80),
    ([FAST] * 4, 80, 160),
    ([Pace(1.0, 1.0, 6)], 1, 1),
    ([Pace(1.0, 0.01, 301)], 61, 76),
    ([Pace(0.5, 0.25, 17)], 3, 4),
    ([Pace(1.0, 0.1, 21)], 6, 7),
    ([Pace(1.0, 0.1, 21), Pace(1.0, 0.1, 21), Pace(1.0, 0.2, 21)], 8, 21),
    # Large requests, with a small one along with each while they are lost.
    ([Pace(0.025, 0.005, 12, 2)], 80, 80),
    ([FAST, Pace(0.025, 0.005, 12, 2)], 80, 120),
    ([Pace(1.0, 0.1, 21, 2)], 11, 14),
]


@pytest.mark.parametrize(("paces", "rate", "total"), CASES)
def test_the_least_budgets(paces, rate, total):
    assert (least_rate(paces), least_total(paces)) == (rate, total)


def judge(gate, now):
    return gate.judge("192.0.2.6", 40000, 16, now, request=b"8 bytes." * 2)


def served(pace, rate, *, bursts):
    """Say whether a gate serves every request of one sender, which is known and then loses some."""
    gate = Gate(RespondOptions(listen=["192.0.2.2:7"], allow=["192.0.2.6/32"], rate=rate))
    now, verdicts = 0.0, []
    for n in range(2000):
        if bursts and n % 500 == 499:
            for _ in range(pace.fall):
                verdicts += [judge(gate, now) for _ in range(pace.packets)]
                now += pace.confirm_s
        verdicts += [judge(gate, now) for _ in range(pace.packets)]
        now += pace.interval_s
    return set(verdicts) == {"answered"}


def test_the_gate_serves_that_and_loses_at_less():
    assert served(FAST, 40, bursts=False)
    assert not served(FAST, 35, bursts=False)
    long = Pace(1.0, 0.01, 301)
    assert served(long, least_rate([long]), bursts=True)
    assert not served(long, 50, bursts=True)
    large = Pace(0.025, 0.005, 12, 2)
    assert served(large, least_rate([large]), bursts=False)
    assert not served(large, 75, bursts=False)


RESPOND = """
[node]
name = "gw"
{respond}
[path.vpn1]
profile = "{profile}"
{options}
[path.vpn1.probe.echo]
type = "udp-echo"
host = "192.0.2.6"
{more}
[action.gateway]
type = "exec"
active = ["true"]
standby = ["true"]
"""
LISTEN = '[respond]\nlisten = ["192.0.2.2:7"]\nallow = ["192.0.2.6/32"]\n'
SECOND = '[path.vpn1.probe.{name}]\ntype = "udp-echo"\nhost = "{host}"\n'


def said(tmp_path, respond=LISTEN, profile="fast", options="", more=""):
    file = tmp_path / "havpn.toml"
    file.write_text(RESPOND.format(respond=respond, profile=profile, options=options, more=more))
    config, _ = load(file)
    found = short_budgets(config)
    assert [text for text in warnings(config) if text.startswith("respond.")] == found
    return found


@pytest.mark.parametrize("profile", ["article", "balanced", "fast"])
def test_the_defaults_serve_every_profile(tmp_path, profile):
    assert said(tmp_path, profile=profile) == []


def test_a_rate_that_is_too_low_is_named_with_its_remedy(tmp_path):
    assert said(tmp_path, LISTEN + "rate = 39\n") == [
        "respond.rate: 39 replies a second to one source are too few for a far end that probes as "
        "this one does 192.0.2.6: a probe every 25ms and 44 in a burst (path.vpn1); write rate = "
        "40 or more"
    ]
    assert said(tmp_path, LISTEN + "rate = 40\n") == []


def test_a_total_rate_that_is_too_low_is_named_with_its_remedy(tmp_path):
    more = SECOND.format(name="two", host="192.0.2.7") + SECOND.format(name="b", host="192.0.2.7")
    assert said(tmp_path, LISTEN + "total_rate = 119.5\n", more=more) == [
        "respond.total_rate: 119.5 replies a second are too few for far ends that probe as this "
        "one does: 3 probes every 25ms and 44 in a burst (path.vpn1); write total_rate = 120 or "
        "more"
    ]
    assert said(tmp_path, LISTEN + "total_rate = 120\n", more=more) == []


def test_the_address_with_the_most_probes_counts(tmp_path):
    more = "".join(SECOND.format(name=f"p{n}", host="192.0.2.9") for n in range(4))
    [text] = said(tmp_path, LISTEN + "rate = 79\n", more=more)
    assert "does 192.0.2.9: 4 probes every 25ms" in text
    assert "write rate = 80 or more" in text


def test_a_path_without_a_burst_is_said_so(tmp_path):
    [text] = said(tmp_path, LISTEN + "rate = 0.5\n", profile="article")
    assert "a probe every 1s (path.vpn1); write rate = 1 or more" in text


def test_without_a_responder_or_an_echo_probe_there_is_nothing_to_say(tmp_path):
    assert said(tmp_path, respond="") == []
    file = tmp_path / "icmp.toml"
    text = RESPOND.format(respond=LISTEN + "rate = 1\n", profile="fast", options="", more="")
    file.write_text(text.replace("udp-echo", "icmp"))
    assert short_budgets(load(file)[0]) == []


TUNNEL = """
[path.vpn1.probe.tunnel]
type = "udp-echo"
watches = "tunnel"
host = "10.31.0.251"
{more}
"""


def test_small_packets_that_go_along_with_large_ones_count(tmp_path):
    tunnel = TUNNEL.format(more="")
    assert said(tmp_path, LISTEN + "rate = 79\n", more=tunnel) == [
        "respond.rate: 79 replies a second to one source are too few for a far end that probes as "
        "this one does 10.31.0.251: a probe every 25ms and 44 in a burst, with a small packet "
        "along while large ones are lost (path.vpn1); write rate = 80 or more"
    ]
    assert said(tmp_path, LISTEN + "rate = 80\n", more=tunnel) == []
    assert said(tmp_path, LISTEN + "total_rate = 119\n", more=tunnel) == [
        "respond.total_rate: 119 replies a second are too few for far ends that probe as this one "
        "does: 2 probes every 25ms and 44 in a burst, 1 of them with a small packet along while "
        "large ones are lost (path.vpn1); write total_rate = 120 or more"
    ]
    assert said(tmp_path, LISTEN + "total_rate = 120\n", more=tunnel) == []


def test_a_probe_of_the_tunnel_with_small_packets_sends_nothing_along(tmp_path):
    small = TUNNEL.format(more="unfragmented = false")
    assert said(tmp_path, LISTEN + "rate = 40\n", more=small) == []


def test_a_large_probe_of_the_line_sends_small_ones_along_too(tmp_path):
    large = SECOND.format(name="large", host="192.0.2.7") + "unfragmented = true\n"
    [text] = said(tmp_path, LISTEN + "rate = 79\n", more=large)
    assert "does 192.0.2.7" in text
    assert "write rate = 80 or more" in text
