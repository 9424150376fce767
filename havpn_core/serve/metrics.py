"""Make the metrics of Prometheus from a status."""

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from havpn_core.serve.buckets import cumulated
from havpn_core.serve.document import active

STATES = ("unknown", "up", "failing", "down", "recovering")
RESULTS = ("ok", "fail", "error", "refused")
QUANTILES = {"p50": "0.5", "p99": "0.99", "max": "1"}
Document = Mapping[str, Any]
Values = dict[tuple[str, ...], Any]


def families(document: Document) -> Iterator[Metric]:
    """Give all metrics of a status that is to be believed.

    What is not known has no sample: an unknown role is neither 0 nor 1.
    """
    yield from _gateway(document)
    yield from _paths(document.get("paths") or {})
    yield from _probes(document.get("paths") or {})
    yield from _pair(document)


def exposition(document: Document, accept: str) -> tuple[bytes, str]:
    """Write the metrics in the format that a client accepts; gives it with its media type.

    :param accept: the field of the request; empty for the text format.
    """
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry()
    registry.register(_Once(document))
    encoder, media_type = choose_encoder(accept)
    return encoder(registry), media_type


class _Once(Collector):
    """Hands the families of one status to the library's encoders."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def collect(self) -> Iterator[Metric]:
        return families(self._document)

    def describe(self) -> Iterator[Metric]:
        return iter(())


def _gateway(document: Document) -> Iterator[Metric]:
    info = InfoMetricFamily("havpn_build", "The release that runs.")
    info.add_metric([], {"version": str(document.get("version", ""))})
    yield info
    config = InfoMetricFamily("havpn_config", "The configuration that is in force.")
    if digest := (document.get("config") or {}).get("digest"):
        config.add_metric([], {"digest": str(digest)})
    yield config
    serves, word = active(dict(document))
    known = None if word == "unknown" else serves
    yield _gauge("havpn_active", "Whether this gateway is seen to be active.", known)
    counts = document.get("counts") or {}
    changes = "Changes of the wanted role since the start."
    yield _counter("havpn_role_changes", changes, {(): counts.get("role_changes", 0)})
    yield _gauge("havpn_paused", "Whether it is paused.", document.get("state") == "paused")
    forced = (document.get("role") or {}).get("forced") is not None
    yield _gauge("havpn_forced", "Whether a person forces the role.", forced)
    fit = (document.get("fitness") or {}).get("fit")
    yield _gauge("havpn_fit", "Whether it can serve, its lines aside.", fit)
    late = (document.get("timing") or {}).get("late_ms") or {}
    lateness = GaugeMetricFamily(
        "havpn_loop_lateness_seconds",
        "How late the loop was over the last one to two minutes.",
        labels=["quantile"],
    )
    for key, quantile in QUANTILES.items():
        if _number(late.get(key)):
            lateness.add_metric([quantile], late[key] / 1000)
    yield lateness
    reloaded = counts.get("reloaded") is not False
    words = "Whether the last reload was taken over; 1 before the first one."
    yield _gauge("havpn_config_last_reload_successful", words, reloaded)
    failures: Values = {(name,): 0 for name in document.get("actions") or {}}
    failures |= {(name,): n for name, n in (counts.get("action_failures") or {}).items()}
    words = "Changes of role that failed."
    yield _counter("havpn_action_failures", words, failures, "action")
    words = "Reports that another host has or claims the shared address."
    yield _counter("havpn_address_conflicts", words, {(): counts.get("conflicts", 0)})


def _paths(paths: Mapping[str, Document]) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "havpn_path_state", "1 for the verdict of the path.", labels=["path", "state"]
    )
    loss = GaugeMetricFamily(
        "havpn_path_loss_ratio",
        "Share of packets lost: round trips (both), or each way where a stream says it.",
        labels=["path", "direction"],
    )
    for name, path in paths.items():
        for state in STATES:
            states.add_metric([name, state], float(path.get("verdict") == state))
        for direction, share in _losses(path).items():
            loss.add_metric([name, direction], share)
    yield states
    yield loss
    words = "Lost probes that the next ones showed to be no failure."
    flickers: Values = {(name,): path.get("flickers", 0) for name, path in paths.items()}
    yield _counter("havpn_path_flickers", words, flickers, "path")


def _losses(path: Document) -> dict[str, float]:
    """Give what is known of a path's loss, as shares by direction."""
    found: dict[str, Any] = {"both": (path.get("quality") or {}).get("loss")}
    for probe in (path.get("probes") or {}).values():
        if "loss_out" in probe:
            found |= {"out": probe["loss_out"], "back": probe.get("loss_back")}
    return {direction: float(share) for direction, share in found.items() if _number(share)}


def _probes(paths: Mapping[str, Document]) -> Iterator[Metric]:
    results: Values = {}
    durations = HistogramMetricFamily(
        "havpn_probe_response_duration_seconds",
        "How long the replies took.",
        labels=["path", "probe"],
    )
    for path, each in paths.items():
        for probe, facts in (each.get("probes") or {}).items():
            results |= {(path, probe, result): facts.get(result, 0) for result in RESULTS}
            spread = facts.get("durations") or {"counts": [], "sum_s": 0.0}
            buckets = cumulated(spread["counts"])
            durations.add_metric([path, probe], buckets, spread["sum_s"])
    yield _counter("havpn_probe_requests", "Probes by result.", results, "path", "probe", "result")
    yield durations


def _pair(document: Document) -> Iterator[Metric]:
    pair = document.get("pair")
    frames: Values = {}
    links = (pair or {}).get("links") or {}
    for name, link in links.items():
        frames |= {(name, verdict): n for verdict, n in (link.get("verdicts") or {}).items()}
    words = "Frames of the partner by link and by what was made of them."
    yield _counter("havpn_pair_frames", words, frames, "link", "verdict")
    heard = [link["heard_s"] for link in links.values() if _number(link.get("heard_s"))]
    seen_s = min(heard) + document.get("age_s", 0.0) if heard else float("inf")
    words = "Seconds since the partner was heard over any link; +Inf: not yet."
    yield _gauge("havpn_pair_last_seen_seconds", words, None if pair is None else seen_s)


def _gauge(name: str, words: str, value: float | bool | None) -> Metric:
    """Make a gauge without labels; without a sample where the value is not known."""
    found = GaugeMetricFamily(name, words)
    if value is not None:
        found.add_metric([], float(value))
    return found


def _counter(name: str, words: str, values: Values, *labels: str) -> CounterMetricFamily:
    found = CounterMetricFamily(name, words, labels=labels)
    for key, value in values.items():
        if _number(value):
            found.add_metric(key, float(value))
    return found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
