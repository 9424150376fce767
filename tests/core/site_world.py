"""Two sites that face each other over two lines, and every fault of what lies between two hosts.

Each site is a pair of :mod:`tests.core.pair_world`. What its gateways know of their lines, their
LAN and the hosts behind the far gateway is not chosen but follows from the faults that last: from
what carries, from who forwards, and from the far responder, which replies as the product's own
rule of silence says. One tick is one interval of the pair, 0.2 s.

A site is an automaton: its worlds are numbered, and what one becomes under some findings is worked
out once. So a moment of the whole is a few numbers, and there is time for millions of them.
"""

from functools import cache

from msgspec import Struct

from havpn_core.pair.message import Line
from havpn_core.rules.fitness.partner import PartnerView
from havpn_core.rules.fitness.witnesses import Witnesses
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, PathState, start, step
from havpn_core.rules.role import Role
from tests.core import pair_world
from tests.core.pair_world import BOUND, LIFETIME, changed, ended, forgotten, fresh, stopped
from tests.core.values import replace

GATEWAYS = ("al", "ar", "bl", "br")
"""Of each site the preferred gateway, then the other; the second letter names the line."""
AL, AR, BL, BR = range(4)
SITES = ("a", "b")
LINES = ("l", "r")
SIDES = ("a", "b")
"""The names that :mod:`tests.core.pair_world` gives the two of a pair."""

WINDOW = 2
"""Ticks without a reply after which a witness is lost, as in the product 0.4 s."""
SETTLE = 1
"""Ticks after that from which the partner's word counts."""
BACK = 3
"""Ticks for which a carrier or a witness must be back until it counts."""
NOTICE_LASTS = 15
"""Ticks for which a notice goes: 3 s."""
SPEEDS = {"quick": PathRules(2, 5, 100.0), "slow": PathRules(4, 9, 100.0)}
"""When a line is down and up, in ticks."""


def far(gateway):
    return gateway ^ 2


def partner(gateway):
    return gateway ^ 1


# --- faults --------------------------------------------------------------------------------------


class Net(Struct, frozen=True):
    """What the faults that last leave of everything that is no gateway's own state.

    :param sends: by gateway, whether its line and its tunnel carry what it sends.
    :param carrier: by gateway, that of its LAN port; ``port``: it carries something, too.
    :param routes: by gateway, whether its kernel forwards; ``forwarding``: whether it shows so.
    :param cable: by site, the directions that the cable does not carry; ``udp``: the LAN link.
    :param hosts: by site, whether the hosts that the other site probes are there.
    """

    sends: tuple
    carrier: tuple
    port: tuple
    routes: tuple
    forwarding: tuple
    cable: tuple
    udp: tuple
    hosts: tuple

    def lan(self, gateway):
        return self.carrier[gateway], self.port[gateway], self.forwarding[gateway]


BOTH = frozenset({"ab", "ba"})
NONE = frozenset()
ONE_WAY = frozenset({"ba"})
OF_GATEWAYS = (
    "LAN port without carrier", "LAN port isolated", "forwarding off", "firewall", "powered off",
    "host frozen", "daemon killed", "daemon stopped", "daemon frozen", "switched to standby",
    "line cut one way",
)  # fmt: skip
OF_LINES = ("line cut", "ESP dropped")
OF_SITES = (
    "switch dead", "hosts dead", "cable pulled", "cable deaf", "LAN link cut", "LAN link deaf",
)  # fmt: skip
FAULTS = (
    *((kind, place) for kind in OF_GATEWAYS for place in range(4)),
    *((kind, place) for kind in OF_LINES for place in range(2)),
    *((kind, place) for kind in OF_SITES for place in range(2)),
)
"""Every fault: its kind and where, the number of a gateway, a line or a site."""


def mirrored(fault):
    """Give the same fault seen from the other site."""
    kind, place = fault
    if kind in OF_LINES:
        return fault
    return kind, far(place) if kind in OF_GATEWAYS else 1 - place


def name(fault):
    kind, place = fault
    places = GATEWAYS if kind in OF_GATEWAYS else LINES if kind in OF_LINES else SITES
    return f"{kind} at {places[place]}"


@cache
def net(faults):
    def at(*kinds):
        return [any((kind, place) in faults for kind in kinds) for place in range(4)]

    cut, one_way = at("line cut", "ESP dropped"), at("line cut one way")
    plugged, isolated, dead = (
        at("LAN port without carrier"),
        at("LAN port isolated"),
        at("switch dead"),
    )
    off, dropped = at("forwarding off"), at("firewall")
    carrier = tuple(not plugged[g] and not dead[g // 2] for g in range(4))

    def lost(all_of, some_of):
        return tuple(
            BOTH if (all_of, site) in faults else ONE_WAY if (some_of, site) in faults else NONE
            for site in range(2)
        )

    return Net(
        sends=tuple(not cut[g % 2] and not one_way[g] for g in range(4)),
        carrier=carrier,
        port=tuple(carrier[g] and not isolated[g] for g in range(4)),
        routes=tuple(not off[g] and not dropped[g] for g in range(4)),
        forwarding=tuple(not off[g] for g in range(4)),
        cable=lost("cable pulled", "cable deaf"),
        udp=lost("LAN link cut", "LAN link deaf"),
        hosts=tuple(("hosts dead", site) not in faults for site in range(2)),
    )


def links_cut(of, site):
    """Give the directions in which no link of a site's pair carries anything."""
    lan = of.port[2 * site] and of.port[2 * site + 1]
    return of.cable[site] & (of.udp[site] if lan else BOTH)


# --- what a gateway finds out --------------------------------------------------------------------


class Sense(Struct, frozen=True):
    """What one gateway knows of its line and its LAN.

    :param refused: ticks for which the far host has refused, up to those that matter.
    :param lost: ticks since a witness replied, up to those that matter.
    :param back: ticks until what was lost of the LAN, and is back, counts.
    :param doubted: ticks for which it still heeds that the far gateway's road is down.
    :param told: fit and certain, as the witnesses had it last.
    """

    path: PathState
    refused: int = 0
    lost: int = 0
    back: int = 0
    told: tuple = (True, False)
    fit: bool = True
    certain: bool = False
    doubted: int = 0

    def line(self, rules):
        path = self.path
        if not path.known:
            return None
        if path.level is Level.UP:
            return Line.UP
        return Line.RECOVERING if path.streak >= rules.fall else Line.DOWN

    @property
    def hears(self):
        return self.lost < WINDOW


FRESH = Sense(start(Level.UP, 0.0))


@cache
def sensed(rules, sense, heard, lan, other):
    """Go on by a tick.

    :param heard: what a probe of the far gateway finds, and what its responder says beside that;
        ``None`` if it says nothing.
    :param lan: whether its port has a carrier, whether it carries, whether the kernel forwards.
    :param other: ``None`` if the partner is silent, else whether it hears its witnesses, and how
        many ticks ago it said so.
    """
    carrier, port, forwarding = lan
    outcome, notice = heard
    path = replace(step(rules, sense.path, outcome, 0.0), since_s=0.0, heard_s=0.0)
    refused = min(sense.refused + 1, LIFETIME) if outcome is Outcome.REFUSED else 0
    if outcome is Outcome.FAIL and path.level is Level.UP:
        refused = sense.refused
    lost = 0 if port or not carrier else min(sense.lost + 1, WINDOW + SETTLE + BACK)
    told = _told(sense.told, lost, other)
    bad = not carrier or not told[0]
    back = BACK if bad else max(sense.back - 1, 0)
    fit, certain = not bad and not back and forwarding, not carrier or told[1]
    left = max(sense.doubted - 1, 0)
    doubted = {None: left, "no road": NOTICE_LASTS}.get(notice, 0)
    return Sense(path, refused, lost, back, told, fit, certain and not fit, doubted)


def _told(told, lost, other):
    """Have the product's own rule say what the loss of all witnesses means."""
    if lost < WINDOW:
        return True, False
    if lost < WINDOW + SETTLE or (other is not None and other[1] > lost - WINDOW - SETTLE):
        return told
    witnesses = Witnesses(["10.1.0.10", "10.1.0.11"], 1, 0.0)
    witnesses.hears, witnesses.lost_s, witnesses.together = False, 0.0, True
    view = PartnerView(silent=True) if other is None else PartnerView(False, other[0], 9.0)
    found = witnesses.fitness(view, 9.0)
    return not found.unfit, found.certain


# --- a site as an automaton ----------------------------------------------------------------------


class Seen(Struct, frozen=True):
    """What of a gateway matters to the others.

    :param on: it has the address, and its kernel is there to say so.
    :param hosted: its host runs; ``works``: and so does its daemon.
    :param other: what it has of its partner, as :func:`sensed` wants it.
    """

    on: bool
    hosted: bool
    works: bool
    running: bool
    replies: bool
    maintenance: bool
    other: tuple | None
    stuck: bool
    standby: bool


def _seen(node):
    hosted = node.alive and not node.asleep
    other = None
    if node.state is not None and (said := node.state.living(node.rules, 0.0)) is not None:
        other = said.hears_lan, min(int(-node.state.received_s), WINDOW + SETTLE + BACK)
    return Seen(
        on=node.on and hosted,
        hosted=hosted,
        works=node.works,
        running=node.running,
        replies=node.works and not node.silent,
        maintenance=node.maintenance,
        other=other,
        stuck=node.stuck,
        standby=node.own.held is Role.STANDBY,
    )


WORLDS, NUMBERS, SEEN, NEXT = [], {}, [], {}


def number(world):
    """Give a site's world its number."""
    found = NUMBERS.get(world)
    if found is None:
        found = NUMBERS[world] = len(WORLDS)
        WORLDS.append(world)
        SEEN.append((_seen(world.a), _seen(world.b)))
    return found


def site_tick(site, findings, cut, isolated):
    key = site, findings, cut, isolated
    after = NEXT.get(key)
    if after is None:
        world = WORLDS[site]
        for side, (values, asleep) in zip(SIDES, findings, strict=True):
            if asleep:
                world = changed(world, side, asleep=2)
            elif getattr(world, side).works:
                world = changed(world, side, **dict(values))
        after = NEXT[key] = number(pair_world.tick(replace(world, cut=cut, isolated=isolated)))
    return after


@cache
def findings(rules, sense, road):
    values = {
        "line": sense.line(rules), "refused": sense.refused >= LIFETIME, "fit": sense.fit,
        "certain": sense.certain, "hears": sense.hears, "road": road,
        "doubted": sense.doubted > 0,
    }  # fmt: skip
    return tuple(values.items())


# --- the whole -----------------------------------------------------------------------------------


class Sites(Struct, frozen=True):
    """Everything at one tick.

    :param sites: the numbers of the worlds of both.
    :param senses: of each gateway.
    :param double: by site, for how many ticks two have had the address while the LAN carries.
    """

    sites: tuple
    senses: tuple
    faults: frozenset = NONE
    double: tuple = (0, 0)

    def __getitem__(self, gateway):
        return SEEN[self.sites[gateway // 2]][gateway % 2]

    @property
    def net(self):
        return net(self.faults)

    def owners(self, site):
        return [g for g in (2 * site, 2 * site + 1) if self[g].on]

    @property
    def holders(self):
        return tuple(self[g].on for g in range(4))

    def carries(self, gateway, way=True):
        """Whether what a host of its LAN sends it comes to the far LAN, or to the far gateway."""
        of, end = self.net, far(gateway)
        here = of.routes[gateway] and of.port[gateway] and self[gateway].hosted
        there = of.routes[end] and of.port[end]
        return here and of.sends[gateway] and self[end].hosted and (there or not way)

    def router(self, site):
        """Give the one gateway to which the hosts of a site send."""
        found = [g for g in self.owners(site) if self.net.port[g]]
        return found[0] if len(found) == 1 else None

    def served(self):
        """Whether hosts of the two sites reach each other."""
        routers = self.router(0), self.router(1)
        return all(router is not None and self.carries(router) for router in routers)

    def road(self, gateway):
        """Whether a host behind the far gateway replies to this one, or the cross gateway does.

        The one replies by the router of its LAN, the other over its own line.
        """
        of, end = self.net, far(gateway)
        there = of.routes[end] and of.port[end] and self[end].hosted
        if not (there and of.sends[gateway]):
            return False
        cross = partner(end)
        if of.port[cross] and self[cross].hosted and self.comes(cross, gateway):
            return True
        back = self.router(end // 2)
        return (
            of.hosts[end // 2]
            and back is not None
            and of.routes[back]
            and self.comes(back, gateway)
        )

    def comes(self, sender, gateway):
        """Whether what one gateway sends into its tunnel comes to one of the other site."""
        of, came = self.net, far(sender)
        through = self[came].hosted and of.routes[came] and of.port[came] and of.port[gateway]
        return of.sends[sender] and (came == gateway or through)

    def whole(self, line):
        """Whether a road over this line is well in each part, and nobody is to stand by."""
        of = self.net
        return all(
            self[g].works and of.port[g] and of.routes[g] and of.sends[g]
            and not self[g].maintenance
            for g in (line, line + 2)
        )  # fmt: skip


def ticked(rules, now):
    """Go on by one tick."""
    of = now.net
    senses, found = [], []
    for gateway in range(4):
        seen, sense = now[gateway], now.senses[gateway]
        if seen.works:
            heard = outcome(now, gateway), notice(now, gateway)
            sense = sensed(rules, sense, heard, of.lan(gateway), seen.other)
            found.append((findings(rules, sense, now.road(gateway)), False))
        else:
            found.append(((), ("host frozen", gateway) in now.faults))
        senses.append(sense)
    sites = tuple(
        site_tick(
            now.sites[site],
            tuple(found[2 * site : 2 * site + 2]),
            links_cut(of, site),
            of.carrier[2 * site] and of.carrier[2 * site + 1]
            and not (of.port[2 * site] and of.port[2 * site + 1]),
        )
        for site in range(2)
    )  # fmt: skip
    after = Sites(sites, tuple(senses), now.faults)
    double = tuple(
        now.double[site] + 1
        if len(after.owners(site)) == 2 and of.port[2 * site] and of.port[2 * site + 1]
        else 0
        for site in range(2)
    )
    return replace(after, double=double)


def outcome(now, gateway):
    """Give what a probe of the far gateway finds, through the tunnel and beside it."""
    of, end = now.net, far(gateway)
    if not (of.sends[gateway] and of.sends[end] and now[end].hosted):
        return Outcome.FAIL
    if now[end].replies:
        return Outcome.OK
    return Outcome.FAIL if now[end].running else Outcome.REFUSED


def notice(now, gateway):
    """Give what the far responder says beside its replies, or in place of one."""
    of, end = now.net, far(gateway)
    if not (of.sends[gateway] and of.sends[end] and now[end].hosted and now[end].works):
        return None
    if not now[end].replies:
        return "away"
    return "standby" if now[end].standby else "no road" if now[end].stuck else None


# --- how a fault begins and ends -----------------------------------------------------------------


def begun(now, fault):
    """Let a fault begin."""
    return _passed(replace(now, faults=now.faults | {fault}), fault, BEGINS)


def over(now, fault):
    """Let a fault end."""
    return _passed(replace(now, faults=now.faults - {fault}), fault, ENDS)


def _passed(now, fault, table):
    kind, place = fault
    if kind == "switch dead":
        for gateway in (2 * place, 2 * place + 1):
            now = _on(now, gateway, _port)
    elif kind in table:
        now = _on(now, place, table[kind])
    return now


def _on(now, gateway, event):
    site, side = gateway // 2, SIDES[gateway % 2]
    before = WORLDS[now.sites[site]]
    after = event(now, gateway, before, side, getattr(before, side))
    if after is before:
        return now
    numbers = list(now.sites)
    numbers[site] = number(after)
    restarted = getattr(after, side).state is None and getattr(before, side).state is not None
    senses = list(now.senses)
    if restarted:
        senses[gateway] = replace(FRESH, path=start(senses[gateway].path.level, 0.0))
    return replace(now, sites=tuple(numbers), senses=tuple(senses))


def _port(now, gateway, world, side, node):
    carrier = now.net.carrier[gateway]
    return world if node.carrier is carrier else changed(world, side, carrier=carrier, in_use=None)


def _off(now, gateway, world, side, node):
    gone = {"alive": False, "on": False, "changing": None, "left": 0, "asleep": 0, "frozen": False}
    return forgotten(world, side, **gone)


def _power_on(now, gateway, world, side, node):
    return changed(world, side, alive=True, running=not _dead(now, gateway), life=0)


DEAD = ("daemon killed", "daemon stopped")


def _dead(now, gateway):
    return any((kind, gateway) in now.faults for kind in DEAD)


def _kill(now, gateway, world, side, node):
    if not (node.alive and node.running):
        return world
    life = node.life if node.frozen else LIFETIME
    return changed(ended(world, side), side, frozen=False, life=life)


def _stop(now, gateway, world, side, node):
    if not node.works or node.state is None:
        return _kill(now, gateway, world, side, node)
    return stopped(world, side)


def _start(now, gateway, world, side, node):
    if not node.alive or node.running or _dead(now, gateway):
        return world
    return changed(world, side, running=True, life=0)


def _freeze(now, gateway, world, side, node):
    if not (node.alive and node.running):
        return world
    return changed(world, side, frozen=True, life=LIFETIME)


def _thaw(now, gateway, world, side, node):
    return _awake(world, side, node, frozen=False) if node.frozen else world


def _sleep(now, gateway, world, side, node):
    return changed(world, side, asleep=1) if node.alive else world


def _wake(now, gateway, world, side, node):
    return _awake(world, side, node, asleep=0) if node.asleep else world


def _awake(world, side, node, **values):
    if node.state is not None and node.running:
        node = pair_world.wake(node)
    return replace(world, **{side: replace(node, **values)})


def _order(now, gateway, world, side, node):
    standby = ("switched to standby", gateway) in now.faults
    return changed(world, side, maintenance=standby)


BEGINS = {
    "LAN port without carrier": _port, "powered off": _off, "host frozen": _sleep,
    "daemon killed": _kill, "daemon stopped": _stop, "daemon frozen": _freeze,
    "switched to standby": _order,
}  # fmt: skip
ENDS = {
    "LAN port without carrier": _port, "powered off": _power_on, "host frozen": _wake,
    "daemon killed": _start, "daemon stopped": _start, "daemon frozen": _thaw,
    "switched to standby": _order,
}  # fmt: skip


# --- what must be true ---------------------------------------------------------------------------


def wrong(now):
    """Name what is not as it should be once all has settled."""
    found = []
    for site in range(2):
        able = [g for g in (2 * site, 2 * site + 1) if now[g].works and now.net.carrier[g]]
        if able and not now.owners(site):
            found.append(f"nobody has the address of {SITES[site]}")
    whole = {line for line in range(2) if now.whole(line)}
    routers = [now.router(site) for site in range(2)]
    lines = {None if router is None else router % 2 for router in routers}
    if whole and (len(lines) != 1 or not lines <= whole):
        names = [None if router is None else GATEWAYS[router] for router in routers]
        found.append(f"the sites are on {names}, while a road is whole")
    elif whole and not now.served():
        found.append("a whole road, and the hosts are not served")
    return found


def bound(now):
    """Give the ticks that two owners may last: what a dead daemon left is the kernel's to drop."""
    return BOUND if all(now[g].works for g in range(4) if now[g].on) else LIFETIME


def settle(rules, now, ticks=60):
    """Let it run; give the moments passed through, none of them with two owners for long."""
    passed = []
    for _ in range(ticks):
        before, now = now, ticked(rules, now)
        assert max(now.double) <= bound(now), (
            f"two owners for long: {sorted(map(name, now.faults))}"
        )
        passed.append(now)
        if now == before:
            break
    return passed


def calm(rules):
    site = number(fresh(probes=True))
    return settle(rules, Sites((site, site), (FRESH,) * 4), 100)[-1]
