"""Write the list of all events.

``python -m havpn_core.cli.event_list > docs/events.md`` brings it up to date.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from havpn_core.daemon.state.catalogue import CATALOGUE, Listed
from havpn_core.daemon.state.events import as_record
from havpn_core.plugging.descriptors import Event, EventKind

HEAD = """# Events

Made by `python -m havpn_core.cli.event_list`.

Whatever changes is one event, with its cause. It goes to the log, to the history (`havpn events`,
a line of JSON each with `--json`), and to the notifiers ([for plugin
authors](plugins/notifier.md)). Programs should read these fields and not the log, and pass over
kinds and words that they do not know: later releases add some.

| field | what |
| --- | --- |
| `at` | when, by the wall clock, in UTC |
| `node` | the gateway's `node.name` |
| `kind` | what it is about: one of the sections below |
| `subject` | the path, action, plugin or host; empty for the gateway itself |
| `before`, `after` | the old value, where there is one, and the new one |
| `severity` | `info`, `warning` or `error`; in the log and in syslog the priorities 6, 4 and 3 |
| `detail` | the cause, and the remedy where there is one: for people, its wording may change |

In the log an event is one line, `KIND SUBJECT: BEFORE -> AFTER (DETAIL)`. The journal gets it
with its priority (`journalctl -p warning -u havpn`), a terminal with the time and colours, a file
with the time and the level.
"""
ABOUT = {
    EventKind.ROLE: "The role that this gateway is to have. The detail says why.",
    EventKind.REDUNDANCY: "Whether the other gateway could take over now: with the next fault, if "
    "it could not, the site is without a router. One event at the beginning and one at the end; "
    "none for what is over within seconds, as a failover or a restart. What counts is listed in "
    "[a pair](pair.md#redundancy).",
    EventKind.VERDICT: "What is believed of a path.",
    EventKind.PATH: "What else is to be said of a path.",
    EventKind.QUALITY: "How good the line of a path is.",
    EventKind.PAIR: "What is wrong between the partners ([troubles](pair.md#troubles)).",
    EventKind.ACTION: "What an action does and observes.",
    EventKind.FITNESS: "Whether this gateway can serve, its lines aside.",
    EventKind.ROAD: "The whole way to hosts behind the far gateway ([the road](pair.md#the-road)).",
    EventKind.RESPOND: "Whether the far gateway's probes are replied to "
    "([both ends agree](pair.md#both-ends-agree)).",
    EventKind.DAEMON: "The daemon itself.",
    EventKind.PLUGIN: "What is wrong with a plugin.",
    EventKind.CLUSTER: "What Pacemaker reports (`havpn alert`).",
}
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def markdown() -> str:
    """Write the list of all events, each with its JSON."""
    lines = HEAD.splitlines()
    for kind in dict.fromkeys(each.kind for each in CATALOGUE):
        found = [each for each in CATALOGUE if each.kind is kind]
        lines += ["", f"## `{kind}`", "", ABOUT[kind], "", *_table(found), "", "```json"]
        lines += [*map(example, found), "```"]
    return "\n".join(lines) + "\n"


def _table(found: list[Listed]) -> Iterator[str]:
    yield "| subject | event | severity | when |"
    yield "| --- | --- | --- | --- |"
    for each in found:
        subject = f"`{each.subject}`" if each.subject else ""
        yield f"| {subject} | `{each.after}` | {each.severity} | {each.when} |"


def example(listed: Listed) -> str:
    """Give an example of the event as a line of ``havpn events --json``."""
    after = listed.after
    for place, word in EXAMPLES.items():
        after = after.replace(place, word)
    event = Event(
        listed.kind,
        listed.subject,
        listed.before,
        after,
        listed.detail,
        listed.severity,
        "gw-aa",
        AT,
    )
    return msgspec.json.encode(as_record(event)).decode()


EXAMPLES = {
    "{role}": "standby",
    "{number}": "180",
    "{reason}": "the path is down",
    "{what}": "vip monitor failed",
}

if __name__ == "__main__":
    print(markdown(), end="")
