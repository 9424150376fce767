"""What is exported of a status: the names that operators know, and nothing that is not known."""

import itertools
import math

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from havpn_core.host.boot import clocks
from havpn_core.serve.buckets import BOUNDS_S, Histogram, cumulated
from havpn_core.serve.document import STALLED_S, Stalled, active, believed, scrubbed
from havpn_core.serve.metrics import exposition, families
from tests.serve.values import document

NAMES = {
    "havpn_build_info",
    "havpn_config_info",
    "havpn_active",
    "havpn_role_changes_total",
    "havpn_paused",
    "havpn_forced",
    "havpn_fit",
    "havpn_loop_lateness_seconds",
    "havpn_config_last_reload_successful",
    "havpn_path_state",
    "havpn_path_loss_ratio",
    "havpn_path_flickers_total",
    "havpn_probe_requests_total",
    "havpn_probe_response_duration_seconds_bucket",
    "havpn_probe_response_duration_seconds_count",
    "havpn_probe_response_duration_seconds_sum",
    "havpn_action_failures_total",
    "havpn_address_conflicts_total",
    "havpn_pair_frames_total",
    "havpn_pair_last_seen_seconds",
}


def samples(found):
    """Give each sample of a status by its name and labels, as a scraper reads it."""
    text = exposition(found, "")[0].decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def one(found, name, **labels):
    return samples(found).get((name, *sorted(labels.items())))


def test_every_name_is_exported():
    assert {key[0] for key in samples(document())} == NAMES


def test_the_values_are_those_of_the_status():
    found = document()
    assert one(found, "havpn_active") == 0
    assert one(found, "havpn_role_changes_total") == 4
    assert one(found, "havpn_fit") == 1
    assert one(found, "havpn_config_info", digest="0123456789abcdef") == 1
    assert one(found, "havpn_loop_lateness_seconds", quantile="0.99") == pytest.approx(0.003158)
    assert one(found, "havpn_path_state", path="line", state="up") == 1
    assert one(found, "havpn_path_state", path="line", state="down") == 0
    assert one(found, "havpn_path_loss_ratio", path="line", direction="out") == 0.02
    assert one(found, "havpn_path_loss_ratio", path="line", direction="both") == 0.0058
    probe = {"path": "line", "probe": "echo"}
    assert one(found, "havpn_probe_requests_total", result="fail", **probe) == 19
    name = "havpn_probe_response_duration_seconds"
    assert one(found, f"{name}_count", **probe) == 3
    assert one(found, f"{name}_sum", **probe) == 0.5
    assert one(found, f"{name}_bucket", le="0.0001", **probe) == 1
    assert one(found, "havpn_action_failures_total", action="gateway") == 2
    assert one(found, "havpn_action_failures_total", action="more") == 0
    assert one(found, "havpn_pair_frames_total", link="cable", verdict="mac") == 3
    assert one(found, "havpn_pair_last_seen_seconds") == 0.016


def heard(ago_s):
    return {"links": {"lan": {"heard_s": ago_s}}}


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"role": {"observed": "active", "forced": "active"}}, "havpn_active", 1),
        ({"role": {"observed": "active", "forced": "active"}}, "havpn_forced", 1),
        ({"role": {"observed": None}}, "havpn_active", None),
        ({"state": "paused"}, "havpn_paused", 1),
        ({"fitness": {"fit": None}}, "havpn_fit", None),
        ({"fitness": {"fit": False}}, "havpn_fit", 0),
        ({"counts": {"reloaded": False}}, "havpn_config_last_reload_successful", 0),
        ({"counts": {"reloaded": None}}, "havpn_config_last_reload_successful", 1),
        ({"pair": None}, "havpn_pair_last_seen_seconds", None),
        ({"pair": heard(None)}, "havpn_pair_last_seen_seconds", math.inf),
        ({"pair": heard(2), "age_s": 3}, "havpn_pair_last_seen_seconds", 5),
    ],
)  # fmt: skip
def test_what_is_not_known_has_no_sample(changes, name, value):
    assert one(document(**changes), name) == value


def test_names_of_paths_are_escaped():
    found = document(paths={'a"\n\\': document()["paths"]["line"]})
    assert one(found, "havpn_path_state", path='a"\n\\', state="up") == 1


def test_a_scraper_that_wants_openmetrics_gets_it():
    text, kind = exposition(document(), "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text") and text.endswith(b"# EOF\n")


def test_every_metric_says_what_it_is():
    assert [f.name for f in families(document()) if not f.documentation.endswith(".")] == []


def test_buckets_double_from_50_microseconds():
    assert BOUNDS_S[0] == 0.00005
    assert all(high == 2 * low for low, high in itertools.pairwise(BOUNDS_S))
    spread = Histogram()
    assert spread.facts() is None
    for seconds in (0.00005, 0.00006, 0.0001, 100.0):
        spread.add(seconds)
    facts = spread.facts()
    assert facts["counts"][:3] == [1, 2, 0] and facts["counts"][-1] == 1
    buckets = cumulated(facts["counts"])
    assert buckets[:2] == [("5e-05", 1.0), ("0.0001", 3.0)] and buckets[-1] == ("+Inf", 4.0)
    assert len(buckets) == len(BOUNDS_S) + 1


# --- what is believed -------------------------------------------------------------------------


def text_of(age_s, **changes):
    now = clocks()
    stamps = {"boot": now.boot, "written_uptime_s": now.boot_s - age_s, "state": "running"}
    return msgspec.json.encode(document(**(stamps | changes))), now


def test_a_fresh_status_is_believed_with_its_age():
    text, now = text_of(1.0)
    assert believed(text, now)["age_s"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("age_s", "changes", "reason"),
    [
        (STALLED_S + 0.1, {}, "the daemon hangs"),
        (0.0, {"state": "stopped"}, "the daemon ended"),
        (0.0, {"boot": "another"}, "of another boot"),
        (0.0, {"written_uptime_s": None}, "damaged"),
    ],
)
def test_a_status_that_nobody_can_believe_says_nothing(age_s, changes, reason):
    text, now = text_of(age_s, **changes)
    with pytest.raises(Stalled, match=reason):
        believed(text, now)


@pytest.mark.parametrize("text", [None, b"", b"{", b"[]", b"{}", b'{"state": 1}'])
def test_no_status_and_a_damaged_one_say_nothing(text):
    with pytest.raises(Stalled):
        believed(text, clocks())


def test_only_the_observed_role_counts():
    assert active({"role": {"observed": "active", "wanted": "standby"}}) == (True, "active")
    assert active({"role": {"observed": "standby", "wanted": "active"}}) == (False, "standby")
    assert active({}) == (False, "unknown")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (b'"https://me:s3cret@host/x/s3cret?k=s3cret"', b'"https://host"'),
        (b'"POST https://host/s3cret failed"', b'"POST https://host failed"'),
        (b'"smtps://u:s3cret@host:465 \\"x\\""', b'"smtps://host:465 \\"x\\""'),
        (b'"10.0.0.1:7"', b'"10.0.0.1:7"'),
    ],
)
def test_of_a_url_only_its_host_is_shown(text, left):
    assert scrubbed(text) == left
