"""Two gateways, links, a LAN and a clock of whole intervals; every misfortune is a choice.

One tick is one interval of the quicker gateway. What a gateway holds is what its owning action
shows: hooks that fail, hang or lie do not occur in it, as nothing here depends on them. An owning
action that fails and one that lies (success without effect) are one thing: nothing to be seen.
"""

from msgspec import Struct
from msgspec.structs import fields, replace

from havpn_core.echo.silence import why_silent
from havpn_core.pair import message, token
from havpn_core.pair.invariants import broken
from havpn_core.pair.lines.resting import LineRules
from havpn_core.pair.message import Content, Line
from havpn_core.pair.state import Own, PairRules, PairState
from havpn_core.rules.fitness import Fitness
from havpn_core.rules.road.state import NO_LOOK, Look, Pace, RoadRules
from havpn_core.rules.role import Role
from havpn_core.rules.target.loss import Loss

ROAD = RoadRules(
    trials_s=(400.0, 800.0),
    clear_s=10.0,
    open_s=4.0,
    retry_s=2.0,
    check_s=4.0,
    numbers=3,
    stuck_s=5.0,
    follow_s=20.0,
)
RULES = PairRules(
    interval_s=1.0, dead_s=3.0, takeover_s=6.0, rest_s=8.0, check_s=1.0, start_s=4.0, road=ROAD,
    lines=LineRules(rest_s=6.0),
)  # fmt: skip
LOSSES_OF = {"": None, "clean": Loss(0.0, 200), "lossy": Loss(0.34, 200)}
"""What a line loses, as the product's own predicates weigh it; nobody knows how much at first."""
SLEEP = 6
SLOW = 3
LIFETIME = 8
"""Ticks after the end of a daemon until the kernel drops its address."""
QUIET = 2
"""Intervals without a frame over the links, after which frames go out on the LAN, too."""
NEEDED = 3
"""Ticks for which a gateway replies on the LAN to a partner that hears it over no link."""
BOUND = 5
"""Ticks within which two owners settle it while the LAN carries; an interval is 0.2 s."""


class Node(Struct, frozen=True):
    """One gateway; ``on`` says whether it has the shared address.

    :param act: how its owning action takes the role: ``ok``, ``slow`` or not at all (``fails``).
    :param changing: the role that is being applied, for ``left`` more ticks.
    :param running: the daemon runs; without it the kernel keeps and speaks for the address for
        ``life`` more ticks.
    :param met: it knows the nonce of the partner's present run, so that the partner believes it.
    :param in_use: what the rounds of probes found up to the last tick.
    :param quiet: ticks since a frame came over a link, up to those that matter.
    :param needed: ticks for which it still speaks on the LAN because the partner needs that.
    :param pace: ticks from one frame to the next; ``beat`` are those that are left.
    :param probes: it has probes of the road, whose hosts reply while ``road``; they do as ``look``
        says, and have found ``looked``.
    :param old: it speaks protocol 1 and weighs two owners as that did.
    :param fit: its fitness, which is not known while ``None``; ``certain`` as that says.
    :param hears: its witnesses on the LAN reply.
    :param doubted: the far gateway of its line says that the road is down there and it stays.
    :param stuck: it says so itself.
    :param loses: what its line loses, a word of :data:`LOSSES_OF`.
    :param grey: its line is grey; ``far_left``: the far site says that it has just left it.
    :param frozen: its daemon stands still while the kernel goes on, as that of a dead daemon does.
    """

    number: int
    priority: int
    line: Line | None = Line.UP
    on: bool = False
    changing: Role | None = None
    left: int = 0
    asleep: int = 0
    maintenance: bool = False
    alive: bool = True
    state: PairState | None = None
    refused: bool = False
    mac: bytes = b""
    act: str = "ok"
    running: bool = True
    life: int = 0
    carrier: bool = True
    met: bool = False
    in_use: bool | None = None
    quiet: int = 0
    needed: int = 0
    pace: int = 1
    beat: int = 0
    said: Content | None = None
    old: bool = False
    probes: bool = False
    road: bool = True
    look: Look = NO_LOOK
    looked: bool | None = None
    fit: bool | None = None
    certain: bool = False
    hears: bool | None = None
    frozen: bool = False
    doubted: bool = False
    stuck: bool = False
    loses: str = ""
    grey: bool = False
    far_left: bool = False

    @property
    def own(self):
        held = None if self.changing else Role.ACTIVE if self.on else Role.STANDBY
        return Own(
            self.number, self.priority, self.line, held, maintenance=self.maintenance,
            in_use=self.in_use, mac=self.mac, refused=self.refused and not self.old,
            road=self.looked, road_look=self.look, road_probes=self.probes,
            fit=None if self.old else self.fit, hears_lan=self.hears, doubted=self.doubted,
            loss=None if self.old else LOSSES_OF[self.loses],
            grey=self.grey and not self.old, far_left=self.far_left and not self.old,
        )  # fmt: skip

    @property
    def silent(self):
        """Why its responder is silent, as long as its daemon is there to be it."""
        off_road = self.state is not None and self.state.road.off
        return why_silent(
            self.own.held, Fitness(self.fit, self.certain, "unfit"), maintenance=self.maintenance,
            left_road=off_road,
        )  # fmt: skip

    @property
    def rules(self):
        if self.pace == 1:
            return RULES
        return replace(RULES, interval_s=float(self.pace), dead_s=3.0 * self.pace)

    @property
    def works(self):
        """Whether its daemon is there to decide."""
        return self.alive and self.running and not self.asleep and not self.frozen

    @property
    def can_serve(self):
        return self.alive and self.running and self.carrier and self.act != "fails"


class Said(Struct, frozen=True):
    """A frame on its way: what it says, whether it will be believed, how it travels.

    :param link: it goes over a link; else over the LAN.
    :param needs: its sender hears nothing over the links.
    """

    content: Content
    echoes: bool = True
    link: bool = True
    needs: bool = False


class World(Struct, frozen=True):
    """What there is at one tick; times are kept relative to it, so that equal worlds are equal.

    :param cut: directions in which no link carries anything.
    :param isolated: nothing passes on the LAN, though both have their carrier.
    :param double: for how many ticks there have been two owners that could settle it.
    """

    a: Node
    b: Node
    to_a: tuple = ()
    to_b: tuple = ()
    cut: frozenset = frozenset()
    isolated: bool = False
    double: int = 0

    @property
    def owners(self):
        return sum(node.on and node.alive for node in (self.a, self.b))

    @property
    def lan(self):
        """Whether the LAN carries between the two."""
        return self.a.carrier and self.b.carrier and not self.isolated

    @property
    def can_settle(self):
        """Whether two owners can hear that they are two, and both can do something about it."""
        speaks = self.lan and not self.a.old and not self.b.old
        return self.a.works and self.b.works and (speaks or not self.cut)


def aged(state):
    """Move a state's times back by one tick, and no further than matters."""
    longest = max(6.0, state.silence_s(RULES)) + 1
    moved = {}
    for name, oldest in OLDEST.items():
        time = getattr(state, name)
        if time is not None:
            moved[name] = max(time - 1, -longest if oldest is None else oldest)
    lines = state.lines
    if lines.moved_s is not None:
        lines = replace(lines, moved_s=lines.moved_s - 1)
    return replace(state, **moved, road=aged_road(state.road), lines=lines)


def aged_road(road):
    longest = max(*RULES.road.trials_s, RULES.road.clear_s, RULES.road.open_s) + 1
    times = {name: getattr(road, name) for name in ROAD_TIMES}
    moved = {name: max(time - 1, -longest) for name, time in times.items() if time is not None}
    # What is past needs no exact time.
    if "again_s" in moved:
        moved["again_s"] = max(moved["again_s"], -1.0)
    if "refuted_s" in moved:
        moved["refuted_s"] = max(moved["refuted_s"], -RULES.road.follow_s)
    if "stuck_s" in moved:
        moved["stuck_s"] = max(moved["stuck_s"], -RULES.road.stuck_s)
    if "well_s" in moved:
        moved["well_s"] = max(moved["well_s"], -RULES.road.clear_s)
    return replace(road, **moved)


ROAD_TIMES = ("again_s", "off_s", "well_s", "check_s", "request_s", "stuck_s", "refuted_s")


OLDEST = {
    "patience_s": -1.0, "received_s": None, "doubt_s": None, "unheard_s": None,
    "taking_s": -RULES.takeover_s - 1, "unfit_until_s": -1.0, "well_s": -1.0,
}  # fmt: skip
assert set(OLDEST) == {f.name for f in fields(PairState) if f.name.endswith("_s")}


def old_loses(own, partner):
    """Weigh two owners as protocol 1 did."""
    return (partner.paused, not partner.doubt, *message.rank(partner)[:8]) > (
        own.paused, not own.doubt, *message.rank(own)[:8],
    )  # fmt: skip


class Mind:
    """A gateway's state while it goes through one tick; every invariant is checked."""

    def __init__(self, node):
        self.rules, self.own, self.state = node.rules, node.own, node.state
        self.before = self.state
        if self.state is None:
            self._take(token.start(self.rules, self.own, 0.0))
        else:
            self.decision = token.decide(self.rules, self.state, self.own, 0.0)

    def _take(self, state):
        before, self.state = self.state, state
        self.decision = token.decide(self.rules, state, self.own, 0.0)
        found = broken(self.rules, state, self.own, self.decision, 0.0, before=before)
        assert not found, (found, before, state)

    def hear(self, content):
        self._take(token.receive(self.rules, self.state, self.own, content, 0.0))

    def step(self, own):
        self.own = own
        self._take(token.step(self.rules, self.state, own, 0.0))


def run_node(node, said, seen_in_use):
    """Let a gateway hear, probe, decide, act and speak.

    :param seen_in_use: what a probe of the LAN finds now.
    """
    if not node.alive:
        return node, None
    if node.asleep:
        return replace(node, asleep=node.asleep - 1), None
    if not node.running or node.frozen:
        life = max(node.life - 1, 0)
        return replace(node, life=life, on=node.on and life > 0), None
    if node.changing:
        node = act(node)
    if node.old:
        new, token.loses = token.loses, old_loses
        try:
            return think(node, said, seen_in_use)
        finally:
            token.loses = new
    return think(node, said, seen_in_use)


def act(node):
    """Go on with a change of the role, which lasts one tick, or some."""
    if node.left:
        return replace(node, left=node.left - 1)
    done = node.changing is Role.STANDBY or node.act != "fails"
    return replace(node, on=node.changing is Role.ACTIVE if done else node.on, changing=None)


def think(node, said, seen_in_use):
    mind, quiet, met = Mind(node), min(node.quiet + 1, QUIET * node.pace), node.met
    needed = max(node.needed - 1, 0)
    for each in said:
        met = True
        needed = NEEDED if each.needs else needed
        if each.echoes:
            mind.hear(each.content)
            quiet = 0 if each.link else quiet
    mind.step(node.own)
    wish, changing, left = mind.decision.wanted, node.changing, node.left
    # What a daemon finds held at its start it applies once more.
    again = node.state is None and wish is Role.ACTIVE
    if wish is not None and not changing and ((wish is Role.ACTIVE) is not node.on or again):
        changing, left = wish, SLOW if node.act == "slow" and wish is Role.ACTIVE else 0
    # What the probes of this tick find counts from the next one on.
    in_use = seen_in_use if mind.decision.suspect else None
    after = replace(node, changing=changing, left=left, met=met, quiet=quiet, needed=needed)
    if changing is not node.changing:
        mind.step(after.own)
    after = replace(looking(after, mind.decision.road.look), stuck=mind.decision.road.stuck)
    content = mind.decision.content
    if node.old:
        content = replace(content, interval_ms=0, mac=b"", refused=False, reads_2=False)
        content = replace(content, road=None, road_for=0, asks=0, off_road=False, doubted=False)
    speaks = node.pace == 1 or not node.beat or news(node.said) != news(content)
    beat = (node.pace - 1 if not node.beat else node.beat - 1) if node.pace > 1 else 0
    kept = content if node.pace > 1 else None
    after = replace(after, state=aged(mind.state), in_use=in_use, beat=beat, said=kept)
    return after, content if speaks else None


def looking(node, look):
    """Let the probes of the road find something out one tick after they were told to look."""
    found = node.road and node.line is not Line.DOWN
    same = look == node.look and look.pace is not Pace.NONE
    return replace(node, look=look, looked=found if same else None)


def news(content):
    return content and replace(content, line=None, wanted=None)


def calls(node):
    """Whether a gateway speaks on the LAN, too."""
    if node.old or node.state is None:
        return False
    theirs = node.state.message
    rival = node.on and theirs is not None and theirs.held is Role.ACTIVE
    return needs(node) or rival or node.needed > 0


def needs(node):
    """Whether a gateway hears nothing over the links."""
    return node.quiet >= QUIET * node.pace


RAN = {}
"""What became of a gateway in one tick: the same gateway is in many worlds."""


def ran(*what):
    known = RAN.setdefault(RULES, {})
    if what not in known:
        known[what] = run_node(*what)
    return known[what]


def tick(world, lost=()):
    """Go on by one interval; ``lost`` names the directions whose message does not arrive."""
    a, says_a = ran(world.a, world.to_a, seen(world, world.a, world.b))
    b, says_b = ran(world.b, world.to_b, seen(world, world.b, world.a))
    to_b = carried(world, a, says_a, "ab", lost)
    to_a = carried(world, b, says_b, "ba", lost)
    # Who sleeps finds on waking what has come meanwhile.
    if still(world.a):
        to_a = (*world.to_a, *to_a)[-3:]
    if still(world.b):
        to_b = (*world.to_b, *to_b)[-3:]
    after = World(a, b, to_a, to_b, world.cut, world.isolated)
    if after.owners == 2 and after.can_settle and not lost:
        after = replace(after, double=world.double + 1)
        assert after.double <= BOUND, f"two owners for long: {after}"
    return renumbered(after)


def still(node):
    """Whether a daemon is there and does not run."""
    return node.alive and node.running and bool(node.asleep or node.frozen)


def seen(world, one, other):
    if not one.carrier:
        return None
    return world.lan and other.alive and not other.asleep and other.on


def carried(world, sender, content, way, lost):
    """Give what arrives of what is said: over the links, or over the LAN while it is called."""
    if content is None or way in lost:
        return ()
    called = needs(sender) and calls(sender) and world.lan
    if way not in world.cut:
        return (Said(content, sender.met, needs=called),)
    if world.lan and calls(sender):
        return (Said(content, sender.met, link=False, needs=called),)
    return ()


def renumbered(world):
    """Count terms from the smallest one in sight: only their order matters."""
    nodes = (world.a, world.b)
    states = [node.state for node in nodes if node.state is not None]
    contents = [each.content for each in (*world.to_a, *world.to_b)]
    contents += [s.message for s in states if s.message]
    contents += [node.said for node in nodes if node.said]
    base = min([*(s.term for s in states), *(c.term for c in contents)], default=0)
    if not base:
        return world

    def content(one):
        return one and replace(one, term=one.term - base)

    def node(one):
        if one.state is None:
            return one
        state = one.state
        state = replace(state, term=state.term - base, message=content(state.message))
        return replace(one, state=state, said=content(one.said))

    def said(all_said):
        return tuple(replace(each, content=content(each.content)) for each in all_said)

    return replace(
        world, a=node(world.a), b=node(world.b), to_a=said(world.to_a), to_b=said(world.to_b)
    )


# --- misfortunes -------------------------------------------------------------------------------


def wake(node):
    woken = token.wake_late(node.rules, node.state, node.own, SLEEP, 0.0)
    decision = token.decide(node.rules, woken, node.own, 0.0)
    assert not broken(node.rules, woken, node.own, decision, 0.0, before=node.state)
    return replace(node, state=woken)


NEXT_LINES = {
    Line.UP: (Line.DOWN,),
    Line.DOWN: (Line.RECOVERING,),
    Line.RECOVERING: (Line.UP, Line.DOWN),
    None: (Line.UP,),
}


def other(side):
    return "b" if side == "a" else "a"


def changed(world, side, **values):
    return replace(world, **{side: replace(getattr(world, side), **values)})


def forgotten(world, side, **values):
    """A new run of a gateway knows nothing, and nobody knows its nonce."""
    values = {
        "state": None,
        "met": False,
        "in_use": None,
        "quiet": 0,
        "said": None,
        "needed": 0,
        "look": NO_LOOK,
        "looked": None,
        "stuck": False,
        "doubted": False,
        "loses": "",
        "grey": False,
        "far_left": False,
    } | values
    world = changed(world, side, **values)
    return replace(changed(world, other(side), met=False), **{f"to_{side}": ()})


def _lines(world, side, node):
    if node.works:
        for line in NEXT_LINES[node.line]:
            yield changed(world, side, line=line)


def _power(world, side, node):
    if not node.alive:
        yield changed(world, side, alive=True, running=True)
    elif not node.asleep:
        yield forgotten(world, side, alive=False, on=False, changing=None, left=0)


def _restart(world, side, node):
    """kill -9 and a start at once: what it held, it holds."""
    if node.works:
        yield forgotten(world, side)


def _sleep(world, side, node):
    if node.works and node.state is not None:
        yield replace(world, **{side: replace(wake(node), asleep=SLEEP)})


def _maintenance(world, side, node):
    if node.works:
        yield changed(world, side, maintenance=not node.maintenance)


def _stop(world, side, node):
    """The daemon stops in order and says so, or dies; it is started again."""
    if node.works and node.state is not None:
        yield stopped(world, side)
        yield ended(world, side)
    elif node.alive and not node.running:
        yield changed(world, side, running=True, life=0)


def ended(world, side):
    """A daemon that ends leaves what it holds to the kernel."""
    left = {"life": LIFETIME, "changing": None, "left": 0}
    return forgotten(world, side, running=False, **left)


def stopped(world, side):
    """The last frames of a daemon that stops in order say so."""
    node = getattr(world, side)
    own = replace(node.own, stopping=True)
    says = token.decide(node.rules, node.state, own, 0.0).content
    assert says.stopping
    arrives = carried(world, node, says, "ab" if side == "a" else "ba", ())
    after = ended(world, side)
    to = f"to_{other(side)}"
    return replace(after, **{to: (*getattr(after, to), *arrives)})


def _refused(world, side, node):
    if node.works:
        yield changed(world, side, refused=not node.refused)


def _carrier(world, side, node):
    yield changed(world, side, carrier=not node.carrier, in_use=None)


def _act(world, side, node):
    yield changed(world, side, act="ok" if node.act != "ok" else "fails")


def _road(world, side, node):
    if node.probes:
        yield changed(world, side, road=not node.road)


def _loss(world, side, node):
    """Its line begins to lose, or is clean, or nothing is known of it any more."""
    for word in LOSSES_OF:
        if node.works and word != node.loses:
            yield changed(world, side, loses=word)


def _grey(world, side, node):
    if node.works:
        yield changed(world, side, grey=not node.grey)


def _far_left(world, side, node):
    """The far site leaves its line, or says so no more."""
    if node.works:
        yield changed(world, side, far_left=not node.far_left)


FIT, UNFIT = {"fit": True, "certain": False}, {"fit": False, "certain": False}
CERTAIN, UNKNOWN = {"fit": False, "certain": True}, {"fit": None, "certain": False}


def _fit(world, side, node):
    """It is fit, unfit, certainly unfit, or nobody knows."""
    for fitness in (FIT, UNFIT, CERTAIN, UNKNOWN):
        if node.works and {"fit": node.fit, "certain": node.certain} != fitness:
            yield changed(world, side, **fitness)


def _hosts(world):
    """The hosts behind the far gateways die, or are back."""
    if world.a.probes and world.b.probes:
        for road in (False, True):
            if world.a.road is not road or world.b.road is not road:
                yield changed(changed(world, "a", road=road), "b", road=road)


def _switch(world):
    yield replace(world, isolated=not world.isolated)


def _cut(world):
    for cut in ((), ("ab",), ("ba",), ("ab", "ba")):
        if world.cut != frozenset(cut):
            yield replace(world, cut=frozenset(cut))


OF_NODES = {
    "line": _lines, "power": _power, "restart": _restart, "sleep": _sleep,
    "maintenance": _maintenance, "stop": _stop, "refused": _refused, "carrier": _carrier,
    "act": _act, "road": _road, "fit": _fit, "loss": _loss,
    "grey": _grey, "far left": _far_left,
}  # fmt: skip
OF_NET = {"switch": _switch, "cut": _cut, "hosts": _hosts}
PLAIN = ("line", "power", "restart", "sleep", "maintenance")
OF_LINES = ("loss", "grey", "far left")
ALL = (*(kind for kind in OF_NODES if kind not in OF_LINES), *OF_NET)


def misfortunes(world, kinds=PLAIN):
    """Everything of these kinds that may befall the pair now."""
    for kind in kinds:
        if kind in OF_NET:
            yield from OF_NET[kind](world)
            continue
        for side in ("a", "b"):
            yield from OF_NODES[kind](world, side, getattr(world, side))


# --- what comes of it --------------------------------------------------------------------------

AFTER = {}
"""What a tick without loss makes of a world, by rules and world: many ways lead to one world."""


def settle(world, ticks=40):
    """Let it run with every message arriving; give the worlds passed through."""
    passed, after = [], AFTER.setdefault(RULES, {})
    for _ in range(ticks):
        before = world
        if before not in after:
            after[before] = tick(before)
        world = after[before]
        if world is before or world == before:
            passed += [world] * (ticks - len(passed))  # nothing will ever change again
            break
        passed.append(world)
    return passed


LOSSES = ((), ("ab",), ("ba",), ("ab", "ba"))


def explore(start, depth, faults, kinds=PLAIN, *, losing=False):
    """Visit every world that so many misfortunes can make within so many ticks."""
    seen, layer = {(start, faults)}, [(start, faults)]
    worlds = {start: None}
    for _ in range(depth):
        after = []
        for world, left in layer:
            choices = [(world, left)]
            if left:
                choices += [(struck, left - 1) for struck in misfortunes(world, kinds)]
            for struck, rest in choices:
                for lost in LOSSES if losing else LOSSES[:1]:
                    found = (tick(struck, lost), rest)
                    if found not in seen:
                        seen.add(found)
                        worlds[found[0]] = None
                        after.append(found)
        layer = after
    return list(worlds)


def explored(case):
    """Give the worlds of an exploration, in which what acts succeeds from now on.

    An action that never succeeds is tried again and again, less and less often.

    :param case: what :func:`explore` takes, and how many worlds there are to be more than.
    """
    start, depth, faults, kinds, losing, least = case
    worlds = explore(start, depth, faults, kinds, losing=losing)
    assert len(worlds) > least
    for world in worlds:
        yield changed(changed(world, "a", act="ok"), "b", act="ok")


def expected(world):
    """Which numbers of owners are right in the end."""
    nodes = (world.a, world.b)
    able = [node.can_serve for node in nodes]
    least = {1} if any(able) else {0, 1}
    return least if world.lan or not world.cut else {*least, 2}


def fresh(**fields):
    return World(Node(2, 150, **fields), Node(1, 100, **fields))
