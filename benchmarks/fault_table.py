"""Pure: what single faults did in each mode, kept as JSON and shown as tables."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

SLACK_S = 0.05
NONE = "-"


@dataclass(frozen=True)
class Found:
    """What one fault did.

    :param outage_s: of the clients, after it began; ``None`` if they were not back.
    :param noticed: the first event about it; empty where nobody has events.
    :param owners: who had the addresses when it had lasted, site by site.
    :param back_s: of the clients, after it was mended; ``None`` if they were not back.
    :param home: whether the preferred gateways served again by themselves.
    :param ends: who had the addresses then.
    """

    outage_s: float | None
    noticed: str
    owners: tuple[str, ...]
    back_s: float | None
    home: bool
    ends: tuple[str, ...] = ()


Results = dict[str, dict[str, Found | None]]
"""By mode and name of the row; ``None`` where the fault means nothing in that mode."""


def missed(
    found: Found,
    *,
    bound_s: float,
    back_bound_s: float,
    lines: Mapping[str, str] | None,
    leaves: str = "",
) -> list[str]:
    """Say which bound a fault missed.

    :param bound_s: the longest outage of the clients, in seconds.
    :param back_bound_s: the longest when it has been mended.
    :param lines: the line of each gateway: one owner a site, all on the same line. ``None`` where
        a cluster manager has the last word on owners.
    :param leaves: the gateway that must not own an address while the fault lasts, if any.
    """
    wrong = []
    for what, outage_s, bound in (
        ("the clients were without service", found.outage_s, bound_s),
        ("the way back cost", found.back_s, back_bound_s),
    ):
        if outage_s is None:
            wrong.append(f"{what} for good")
        elif outage_s > bound + SLACK_S:
            wrong.append(f"{what} for {outage_s:.2f} s")
    if lines is not None:
        used = [lines[owner] for owner in found.owners]
        if len(used) != len(set(lines.values())) or len(set(used)) != 1:
            wrong.append(f"owners {found.owners}: not one a site, on the same line")
    if leaves in found.owners:
        wrong.append("nobody moved")
    return wrong if found.home else [*wrong, "it was not home again"]


def dump(results: Results) -> str:
    """Write results as JSON, with an end of line."""
    plain = {
        mode: {name: found and asdict(found) for name, found in rows.items()}
        for mode, rows in results.items()
    }
    return json.dumps(plain, indent=1) + "\n"


def load(text: str) -> Results:
    """Read what :func:`dump` wrote.

    :raises ValueError: it is not that.
    """
    return {
        mode: {name: found and _found(found) for name, found in rows.items()}
        for mode, rows in json.loads(text).items()
    }


def _found(plain: dict[str, object]) -> Found:
    try:
        made = Found(**plain)  # type: ignore[arg-type]
    except TypeError as problem:
        raise ValueError(f"no result of a fault: {plain}") from problem
    return Found(**{**plain, "owners": tuple(made.owners), "ends": tuple(made.ends)})  # type: ignore[arg-type]


def merged(old: Results, new: Results) -> Results:
    """Take new results over old ones, row by row."""
    modes = [*old, *(mode for mode in new if mode not in old)]
    return {mode: {**old.get(mode, {}), **new.get(mode, {})} for mode in modes}


def seconds(value: float | None) -> str:
    """Show an outage."""
    return "lost" if value is None else f"{value:.2f} s"


def overview(results: Results, titles: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Write the clients' outages of all modes side by side, as Markdown.

    :param titles: of the modes to show, in order.
    :param names: of the rows to show, in order.
    """
    shown = [mode for mode in titles if mode in results]
    rows = _head(["fault", *[titles[mode] for mode in shown]])
    for name in names:
        cells = [_outage(results[mode], name) for mode in shown]
        rows.append(_row([name, *cells]))
    return rows


def _outage(rows: Mapping[str, Found | None], name: str) -> str:
    if name not in rows:
        return "not tried"
    found = rows[name]
    return NONE if found is None else seconds(found.outage_s)


def details(rows: Mapping[str, Found | None], names: Iterable[str], *, ours: bool) -> list[str]:
    """Write all that is known of one mode, as Markdown.

    :param ours: show what noticed a fault.
    """
    first = ["fault", "noticed first"] if ours else ["fault"]
    lines = _head([*first, "client's outage", "owners", "client after its end", "owners after it"])
    return lines + [line(name, rows[name], ours=ours) for name in names if name in rows]


def line(name: str, found: Found | None, *, ours: bool) -> str:
    """Write the row of one fault."""
    if found is None:
        return _row([name, *[NONE] * (5 if ours else 4)])
    ends = ", ".join(found.ends) or "nobody"
    cells = [
        seconds(found.outage_s),
        ", ".join(found.owners) or "nobody",
        seconds(found.back_s),
        ends if found.home else f"{ends}; not home by itself",
    ]
    return _row([name, *([found.noticed] if ours else []), *cells])


def _head(cells: list[str]) -> list[str]:
    return [_row(cells), _row(["---"] * len(cells))]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"
