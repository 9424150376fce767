"""Every event that there is, as data: what the reference shows, and what tests compare with.

An event that the daemon emits and that is not here is an error, which the tests of the daemon find.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from havpn_core.pair.health import redundancy
from havpn_core.plugging.descriptors import Event, EventKind, Severity

I, W, E = Severity.INFO, Severity.WARNING, Severity.ERROR  # noqa: E741
_PLACE = re.compile(r"\\\{[a-z ]+\\\}")


class Listed(NamedTuple):
    """One event.

    :param kind: its ``kind``.
    :param subject: its ``subject`` as an example; empty for the gateway itself.
    :param after: its ``after``; ``{word}`` stands for a text that differs.
    :param before: its ``before`` as an example.
    :param severity: the one that it has, or the most severe of several.
    :param when: when it comes, a sentence.
    :param detail: its ``detail`` as an example.
    """

    kind: EventKind
    subject: str
    after: str
    before: str
    severity: Severity
    when: str
    detail: str = ""

    def fits(self, event: Event) -> bool:
        """Whether an event is this one."""
        if self.kind != event.kind or bool(self.subject) is not bool(event.subject):
            return self.kind == event.kind == EventKind.CLUSTER
        pattern = _PLACE.sub(".+", re.escape(self.after))
        return re.fullmatch(pattern, event.after, re.DOTALL) is not None


def strangers(events: Iterable[Event]) -> list[Event]:
    """Give the events that are not listed."""
    return [event for event in events if not any(each.fits(event) for each in CATALOGUE)]


_VERDICT = (
    ("unknown", "up", W, "the path can no longer be tested, or nothing was heard for too long",
     "line: permission denied; run as root, or give CAP_NET_RAW"),
    ("up", "recovering", I, "replies have come for long enough", ""),
    ("failing", "up", I, "probes fail, not yet often enough to be down", ""),
    ("down", "failing", W, "`fall` probes in a row failed, or the carrier is lost",
     "tunnel: no reply in 12 probes; the line is well"),
    ("recovering", "down", I, "probes have replies again, not yet for long enough", ""),
)  # fmt: skip
_QUALITY = (
    ("poor", "good", W, "a line loses or delays too much over its window",
     "loss 12 %, latency 31 ms over 60 s"),
    ("good", "poor", I, "the line is good again", "loss 0 %, latency 12 ms over 60 s"),
    ("score {number}", "score 200", I, "a line is on another step for a cluster manager",
     "loses 2.1 %"),
)  # fmt: skip
_ROLE = (
    ("active", "standby", W, "the daemon wants this role; `info` for the first one after a start",
     "path vpn1 up"),
    ("standby", "active", W, "likewise; the detail is the reason, with the cause of a path's fall",
     "path vpn1 down: tunnel: no reply in 12 probes; the line is well"),
    ("forced to {role}", "", W, "`havpn switch` forces a role",
     "until 2026-01-01 12:10:00 (in 10m)"),
    ("override ended", "forced to standby", W, "`havpn switch --to auto` ends that",
     "by havpn switch --to auto"),
    ("override expired", "forced to standby", I, "the time of `havpn switch --for` is over",
     "the time is over (havpn switch --for): the role is decided by paths and partner"),
    ("unfit", "", W, "without a pair: a gateway that should go stays",
     "device lan has no carrier; this gateway stays: no other gateway is seen serving"),
    ("kept", "", W, "in maintenance, and the cluster manager has nowhere to go to",
     "in maintenance, and no other gateway is seen serving"),
)  # fmt: skip
_ACTION = (
    ("applying {role}", "", I, "an effect begins; in the log only with `havpn run -v`", ""),
    ("active", "", W, "the action has carried the role out; `warning` where nobody can see it",
     ""),
    ("standby", "", W, "likewise", ""),
    ("failed", "", E, "the action failed, timed out or reported wrongly; it is tried again",
     "active: /usr/local/bin/take ended with status 1; next try in 2 s"),
    ("conflict", "", E, "another host claims the address that is held here",
     "02:00:00:00:00:01 claims an address that this gateway holds"),
    ("overridden", "", W, "somebody else changed the role, which is respected", "standby"),
    ("followed again", "", W, "the role agrees again", ""),
)  # fmt: skip
_DAEMON = (
    ("started", "", I, "the daemon starts", "version 0.1.0"),
    ("stopped", "", I, "it ends in order", ""),
    ("reloaded", "", I, "a changed configuration is at work", "changed: path vpn1; new: path vpn2"),
    ("reload refused", "", E, "a configuration is not taken over; the log names each problem",
     "2 problems; the old configuration stays"),
    ("paused", "", W, "`havpn pause`", ""),
    ("resumed", "", W, "`havpn resume`", ""),
    ("late", "", W, "this host was late itself, once a minute at the most",
     "3 rounds of probes are void: this host was late itself"),
    ("trouble", "", W, "something that the daemon needs is not available, such as the disk",
     "/var/lib/havpn/state.json: the disk is full: free some space"),
    ("over", "trouble", I, "it is available again",
     "/run/havpn/status.json: can be written again"),
)  # fmt: skip
_PLUGIN = (
    ("", "trouble", "", W, "a plugin that is enabled was not loaded, or not as a whole",
     "plugin foo: ImportError: no module named bar"),
    ("path.vpn1.probe.echo", "blocks the loop", "", W, "a plugin keeps the daemon waiting",
     "check took 0.30 s on the loop"),
)  # fmt: skip
_OVER = "the condition has ended"
_PAIR = (
    ("conflict", "", E, "the partner is silent, and its kernel still replies for the address",
     "10.1.255.254 is still in use on the LAN"),
    ("link lost", "", W, "a link brings no frames while the partner lives",
     "link cable brings no frames any more: check its cable, its addresses and the firewall "
     "(pair.link.cable)"),
    ("link back", "", I, _OVER, "link cable brings frames again"),
    ("partner lost", "", W, "no link brings frames",
     "the partner is silent on all links: see whether it runs (havpn status there), and check the "
     "cables and addresses of pair.link"),
    ("partner stopped", "", I, "the partner said that it ends",
     "the partner stopped in order, for a restart or an upgrade: start it again if it does not "
     "come back"),
    ("partner back", "", I, "the partner is heard again", "the partner is heard again"),
    ("not heard by the partner", "", W, "the partner says so",
     "the partner lives and does not receive our frames: check its firewall, and the cables of "
     "pair.link in the direction to it"),
    ("wrong key", "", W, "frames come that another key has signed",
     "frames come that are signed with another key: copy pair.key_file to both gateways and run "
     "havpn reload on both"),
    ("other protocol version", "", W, "frames of an unknown version come",
     "frames come of another version of the protocol: install the same release of havpn on both "
     "gateways"),
    ("equal names", "", W, "the partner has our `node.name`",
     "the partner has the name of this gateway: write another node.name on one of them"),
    ("equal priorities", "", W, "the partner has our `priority`",
     "both gateways have priority 100, and neither is preferred: write another pair.priority on "
     "one of them"),
    ("dead raised", "", W, "`dead` is too short for the intervals",
     'pair.dead is raised from 150ms to 600ms, three times the slower interval of both gateways: '
     'write dead = "600ms", or a shorter pair.interval on the slower one'),
    *((f"{word} over", "", I, _OVER, text) for word, text in (
        ("not heard by the partner", "the partner receives our frames, or is silent itself"),
        ("wrong key", "no more frames come that are signed with another key"),
        ("other protocol version", "no more frames come of another version of the protocol"),
        ("equal names", "the names of the gateways differ now"),
        ("equal priorities", "the priorities of the gateways differ now"),
        ("dead raised", "pair.dead is taken as it is written"),
    )),
)  # fmt: skip
_REDUNDANCY = (
    (redundancy.LOST, "", W, "this gateway or its partner could not take over now, for "
     f"{redundancy.LASTS_S:g} s",
     "the path of the partner is down (havpn status there says why)"),
    (redundancy.BACK, redundancy.LOST, I, f"both could, for {redundancy.CALM_S:g} s",
     "it was lost for 212 s"),
)  # fmt: skip
_PATH = (
    ("damping hold begun", "", W, "a line that keeps dying is held `down` for some time",
     "it keeps dying, penalty 3.0: not up again before 95 s from now, and later if it dies once "
     "more; havpn switch --to auto --clear ends the hold"),
    ("damping hold over", "damping hold begun", I, "the time is over, or an operator ended it",
     "it may be up again as soon as it has replied for long enough"),
    ("far responder missing", "", W, "the far host refuses; `info` for a mere restart",
     "connection refused"),
    ("far responder back", "far responder missing", I, "somebody replies there again",
     "it was missing for 4.2 s"),
    ("line grey", "", W, "a path with a target loses more than it may", "loss 3 % over 60 s"),
    ("line grey no more", "line grey", I, _OVER, "loss 0 % over 60 s"),
    ("sites on different lines", "", W, "this gateway serves and the far one stands by, for 10 s",
     "this gateway serves, and the far gateway of path vpn1 has stood by for 10 s: see there why "
     "it does not serve (havpn status)"),
    ("sites on the same line", "sites on different lines", I, _OVER, ""),
    ("trouble", "", W, "a probe reports what is not a sample; at most one in ten seconds",
     "the two ends have different keys: copy key_file to both"),
)  # fmt: skip
_FITNESS = (
    ("", "unfit", "fit", W, "this gateway cannot serve, its lines aside",
     "device lan has no carrier"),
    ("", "fit", "unfit", I, "it can again", ""),
    ("witnesses", "lost", "", W, "not enough witnesses reply",
     "not enough of them reply on the LAN"),
    ("witnesses", "unknown", "", W, "the witnesses cannot be probed",
     "the LAN cannot be probed: not permitted"),
)  # fmt: skip
_ROAD = (
    ("vpn1", "failed", "ok", W, "no host behind the far gateway replies", "no reply"),
    ("vpn1", "ok", "failed", I, "one does again", ""),
    ("vpn1", "unknown", "ok", I, "the road cannot be tested", ""),
    ("", "waits for what the partner finds of its road", "", W, "the road is down here", ""),
    ("", "hands over: road down here, well on the partner", "", W, "so this gateway goes", ""),
    ("", "stays active: {reason}", "", W, "the road is down, and this gateway stays", ""),
    ("", "off the road: stands by until the road is back, or a trial is due", "", W,
     "this gateway has gone for its road", ""),
    ("", "on the road again: it replied, or a trial is due", "", I, "it may serve again", ""),
)  # fmt: skip
_RESPOND = (
    ("silent", "replying", W, "the responder is silent, so that the far site leaves this line",
     "in maintenance"),
    ("replying", "silent", I, "it replies again", ""),
)  # fmt: skip

CATALOGUE: tuple[Listed, ...] = (
    *(Listed(EventKind.ROLE, "", *each) for each in _ROLE),
    *(Listed(EventKind.REDUNDANCY, "", *each) for each in _REDUNDANCY),
    *(Listed(EventKind.VERDICT, "vpn1", *each) for each in _VERDICT),
    *(Listed(EventKind.PATH, "vpn1", *each) for each in _PATH),
    *(Listed(EventKind.QUALITY, "vpn1", *each) for each in _QUALITY),
    *(Listed(EventKind.PAIR, "", *each) for each in _PAIR),
    *(Listed(EventKind.ACTION, "vip", *each) for each in _ACTION),
    *(Listed(EventKind.FITNESS, *each) for each in _FITNESS),
    *(Listed(EventKind.ROAD, *each) for each in _ROAD),
    *(Listed(EventKind.RESPOND, "", *each) for each in _RESPOND),
    *(Listed(EventKind.DAEMON, "", *each) for each in _DAEMON),
    *(Listed(EventKind.PLUGIN, *each) for each in _PLUGIN),
    Listed(EventKind.CLUSTER, "gw-aa", "{what}", "", E, "`havpn alert` passes on what Pacemaker "
           "says of a node, a resource, an attribute or fencing; the node is the subject",
           "unknown error"),
)  # fmt: skip
