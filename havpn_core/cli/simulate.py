"""``havpn simulate``."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from havpn_core.cli.amounts import ChangeType, DurationType
from havpn_core.cli.options import (
    Given,
    GivenText,
    config_option,
    json_option,
    path_of,
    path_option,
)
from havpn_core.config.choices import listed
from havpn_core.config.convert import decode_hook
from havpn_core.config.instances import PathConfig
from havpn_core.config.kinds import arrival_s
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import by_hand, by_target
from havpn_core.config.read import load
from havpn_core.durations import Duration
from havpn_core.errors import ConfigError
from havpn_core.plugging.descriptors import ProbeType
from havpn_core.plugging.registry import Registry
from havpn_core.rules.vote import Kinds
from havpn_core.study.loss import Changing, GilbertElliott, Independent, LossModel, Periodic
from havpn_core.study.montecarlo import Summary, summarise
from havpn_core.study.replay import parse_samples, replay
from havpn_core.study.traces import parse_trace


@click.command()
@config_option
@path_option("The path whose rules to use.")
@click.option(
    "--samples",
    type=GivenText(),
    help="File (or -) of one character a sample (the vote of all probes): . OK, x FAIL, ? ERROR, "
    "r refused by the far host.",
)
@click.option("--loss", type=click.FloatRange(0, 1, max_open=True), help="Share of lost probes.")
@click.option("--burst", type=DurationType(), help="Loss in spells of this mean length.")
@click.option(
    "--change",
    type=ChangeType(),
    metavar="A:B@TIME",
    help="Loss that changes, such as 0.01:0.2@30m: a share of 1 % lost, from half an hour on 20 %.",
)
@click.option("--outage", type=DurationType(), help="Loss of this length, once a --period.")
@click.option("--period", type=DurationType(), help="Time from one outage to the next.")
@click.option("--trace", type=GivenText(), help="A line as havpn record wrote it.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), default=100.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--rtt", type=DurationType(), default="1ms", show_default=True, help="Round trip.")
@click.option("--stream", is_flag=True, help="Watch the line by a stream instead of by probes.")
@click.option("--one-way", type=DurationType(), help="One-way delay of a stream; half of --rtt.")
@click.option(
    "--jitter", type=DurationType(), help="A packet of a stream takes up to so much longer."
)
@click.option("--cuts", type=click.IntRange(0), default=200, show_default=True)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Try another value.")
@click.option("--sweep", metavar="KEY=V1,V2,...", help="Try several values of one key.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw into this .svg or .png file.")
@json_option
def simulate(file: Path, name: str, samples: Given | None, as_json: bool, **given: Any) -> None:
    """Try a path's rules on a virtual clock.

    With --samples, every change of verdict is printed. A sample is the result of all probes
    together (their vote, as havpn record writes it), so `require` is not applied again. With a
    model of a line (--loss, with --burst for loss in spells; --change; --outage with --period;
    --trace), the path runs on that line for --hours, then the line is cut --cuts times at random
    moments: printed are the changes of role, the share of time on the backup, and the time from
    each cut to its detection.

    Where the path's only probe reports arrivals, or with --stream, both ends of a stream run with
    the path's rules. --loss and --change are the loss of each way, drawn for each way on its own;
    spells, outages and a trace hit both ways at the same time. Without --stream of several probes
    each is polled. All probes of the path send over the one line, and `require` of each
    kind must be OK: spells, outages and a trace hit all of them at the same time, while --loss
    without --burst is drawn for the packet of each probe on its own.
    """
    config, registry = load(file)
    path = path_of(config, file, name)
    given["pace_s"] = _pace_s(path, registry, stream=given["stream"])
    if given["plot"]:
        from havpn_core.study.plots import check_drawable

        _drawn(lambda: check_drawable(given["plot"]))
    for setting in given["settings"]:
        path = PathConfig(name, changed(path.options, setting), path.probes, path.road)
    if samples is not None:
        _replay(path, samples, as_json)
    elif given["sweep"]:
        _sweep(path, as_json, given)
    else:
        summary = _summary(path, given)
        _print(summary, as_json)
        if given["plot"]:
            from havpn_core.study.plots import plot_detection

            _drawn(lambda: plot_detection(summary.detection_s, f"path {name}", given["plot"]))


def _drawn(draw: Callable[[], None]) -> None:
    try:
        draw()
    except ValueError as problem:
        raise click.UsageError(f"--plot: {problem}") from None


def changed(options: PathOptions, setting: str) -> PathOptions:
    """Give options with one key changed.

    :param setting: ``KEY=VALUE``.
    :raises click.UsageError: naming the key if it is unknown or the value impossible.
    """
    key, _, text = setting.partition("=")
    fields = {field.name: field for field in msgspec.structs.fields(PathOptions)}
    if key not in fields or not text:
        raise click.UsageError(f"{setting!r}: write KEY=VALUE with a key of [path.NAME]")
    try:
        value = msgspec.convert(text, fields[key].type, strict=False, dec_hook=decode_hook)
        if key == "false_switches":
            return by_hand(options) if value is None else by_target(options, value)
        return msgspec.structs.replace(
            by_hand(options) if key == "fall" else options, **{key: value}
        )
    except (msgspec.ValidationError, ValueError) as problem:
        words = listed(str(problem), fields[key].type)
        raise click.UsageError(f"{key}: {words}") from None


def _model(given: dict[str, Any]) -> LossModel:
    chance = random.Random(given["seed"])
    if given["trace"] is not None:
        try:
            return parse_trace(given["trace"].text)
        except ValueError as problem:
            raise ConfigError([f"{given['trace'].name}: {problem}"]) from None
    if given["outage"] is not None and given["period"] is not None:
        return Periodic(given["period"], given["outage"])
    if given["change"] is not None:
        before, after, at_s = given["change"]
        return Changing(Independent(before, chance), Independent(after, chance), at_s)
    if given["loss"] is None:
        raise click.UsageError(
            "say --samples, --loss, --change, --outage with --period, or --trace"
        )
    if given["burst"] is not None and given["loss"] > 0:
        return GilbertElliott(given["loss"], given["burst"], chance)
    return Independent(given["loss"], chance)


def _pace_s(path: PathConfig, registry: Registry, *, stream: bool) -> float | None:
    """Give the seconds from one packet to the next of a stream; ``None`` where there is none."""
    found = arrival_s(path)
    if found is not None or not stream:
        return found
    kind = registry.get("probe", "stream")
    assert isinstance(kind, ProbeType)
    options = kind.config(host="far", key_file="key")
    return kind.arrival_s(kind.paced(options, float(path.options.interval)))


def _streamed(path: PathConfig, given: dict[str, Any]) -> Summary:
    from havpn_core.study.ends import Delay
    from havpn_core.study.streams import summarise_stream

    one_way_s = given["one_way"] if given["one_way"] is not None else given["rtt"] / 2
    return summarise_stream(
        path.options.settings,
        _model(given),
        pace_s=given["pace_s"],
        hours=given["hours"],
        chance=random.Random(given["seed"]),
        delay=Delay(float(one_way_s), float(given["jitter"] or 0.0)),
        cuts=given["cuts"],
    )


def _summary(path: PathConfig, given: dict[str, Any]) -> Summary:
    if given["pace_s"] is not None:
        return _streamed(path, given)
    for option in ("one_way", "jitter"):
        if given[option] is not None:
            raise click.UsageError(
                f"--{option.replace('_', '-')} is of a stream: say --stream, too"
            )
    watches = tuple(path.watches.values())
    for kind, probes in Kinds.of(watches).short(path.options.require):
        which = f" that watch the {kind}" if len(set(watches)) > 1 else ""
        raise click.UsageError(
            f"require: {path.options.require} of {probes} probes{which} can never be OK: "
            f"write at most {probes}"
        )
    return summarise(
        path.options.settings,
        _model(given),
        hours=given["hours"],
        chance=random.Random(given["seed"]),
        rtt_s=float(given["rtt"]),
        cuts=given["cuts"],
        watches=watches,
    )


def facts(summary: Summary) -> dict[str, Any]:
    """Give the object that ``--json`` prints last."""
    far = {} if summary.far_switches is None else {"far_switches": summary.far_switches}
    return {
        "hours": summary.hours,
        "switches": summary.switches,
        **far,
        "backup_share": round(summary.backup_share, 6),
        "detection_s": {
            "p50": _rounded(summary.percentile_s(0.5)),
            "p99": _rounded(summary.percentile_s(0.99)),
        },
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)


def _print(summary: Summary, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts(summary)))
        return
    p50, p99 = (Duration(round(summary.percentile_s(share) or 0, 3)) for share in (0.5, 0.99))
    click.echo(
        f"{summary.hours:g} h: {summary.switches} changes of role "
        f"({summary.switches / summary.hours:.3g} per hour), "
        f"{summary.backup_share:.2%} of the time on the backup"
    )
    if summary.far_switches is not None:
        click.echo(f"{summary.far_switches} changes of role at the far end")
    if summary.detection_s:
        click.echo(f"{len(summary.detection_s)} cuts: detected in {p50} (median), {p99} (p99)")
    for line in summary.fewer:
        click.echo(line)


def _sweep(path: PathConfig, as_json: bool, given: dict[str, Any]) -> None:
    from havpn_core.study.plots import SweepRow, plot_sweep

    key, rows = given["sweep"].partition("=")[0], []
    for value, summary in _swept(path, given):
        p50, p99 = (summary.percentile_s(share) or 0.0 for share in (0.5, 0.99))
        per_hour = summary.switches / summary.hours
        rows.append(SweepRow(value, per_hour, summary.backup_share, p50, p99))
        if as_json:
            click.echo(json.dumps({"sweep": {key: value}} | facts(summary)))
        else:
            click.echo(
                f"{key} = {value:8} {per_hour:9.3g} changes per hour  "
                f"{summary.backup_share:8.2%} on backup  detection {p50:.3f} s, p99 {p99:.3f} s"
            )
    if given["plot"]:
        _drawn(lambda: plot_sweep(key, rows, given["plot"]))


def _swept(path: PathConfig, given: dict[str, Any]) -> Iterator[tuple[str, Summary]]:
    key, _, values = given["sweep"].partition("=")
    for value in values.split(","):
        options = changed(path.options, f"{key}={value}")
        yield value, _summary(PathConfig(path.name, options, path.probes, path.road), given)


def _replay(path: PathConfig, samples: Given, as_json: bool) -> None:
    try:
        outcomes = parse_samples(samples.text)
    except ValueError as problem:
        raise ConfigError([f"{samples.name}: {problem}"]) from None
    options = path.options
    known, release = options.initial == "up", options.on_unknown == "release"
    for change in replay(options.settings, outcomes, known=known, release=release):
        role = change.role.value if change.role else None
        if as_json:
            found: dict[str, object] = {"sample": change.sample, "time_s": change.time_s}
            found |= {"from": change.before.value, "to": change.after.value, "role": role}
            click.echo(json.dumps(found))
        else:
            click.echo(
                f"{change.time_s:10.3f} s  sample {change.sample}: "
                f"{change.before.value} -> {change.after.value}, role {role}"
            )
