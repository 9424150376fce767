"""Two gateways, a channel and a clock of whole intervals; every misfortune is a choice."""

from dataclasses import dataclass, fields, replace

from havpn_core.pair import token
from havpn_core.pair.invariants import broken
from havpn_core.pair.message import Line
from havpn_core.pair.state import Own, PairRules, PairState
from havpn_core.rules.role import Role

RULES = PairRules(interval_s=1.0, dead_s=3.0, takeover_s=6.0, rest_s=8.0)
TIMES = {
    "patience_s", "received_s", "doubt_s", "unheard_s", "taking_s", "unfit_until_s", "well_s",
}  # fmt: skip
OLDEST = -10.0
SLEEP = 6


@dataclass(frozen=True)
class Node:
    """One gateway; ``on`` says whether it has the shared address."""

    number: int
    priority: int
    line: Line | None = Line.UP
    on: bool = False
    changing: Role | None = None
    asleep: int = 0
    maintenance: bool = False
    alive: bool = True
    state: PairState | None = None

    @property
    def own(self):
        held = None if self.changing else Role.ACTIVE if self.on else Role.STANDBY
        return Own(self.number, self.priority, self.line, held, maintenance=self.maintenance)


@dataclass(frozen=True)
class World:
    """What there is at one tick; times are kept relative to it, so that equal worlds are equal."""

    a: Node
    b: Node
    to_a: tuple = ()
    to_b: tuple = ()

    @property
    def owners(self):
        return sum(node.on and node.alive for node in (self.a, self.b))

    @property
    def alive(self):
        return sum(node.alive and not node.asleep for node in (self.a, self.b))


def aged(state):
    """Move a state's times back by one tick, and no further than matters."""
    moved = {
        f.name: max(getattr(state, f.name) - 1, OLDEST)
        for f in fields(state)
        if f.name in TIMES and getattr(state, f.name) is not None
    }
    return replace(state, **moved)


def checked(state, node, before=None):
    """Give a state of which every invariant holds."""
    if state is before:
        return state
    decision = token.decide(RULES, state, node.own, 0.0)
    assert not broken(RULES, state, node.own, decision, 0.0, before=before), (state, before)
    return state


def run_node(node, messages):
    """Let a gateway hear, decide, act and speak; a change of role lasts one tick."""
    if not node.alive:
        return node, None
    if node.asleep:
        return replace(node, asleep=node.asleep - 1), None
    if node.changing:
        node = replace(node, on=node.changing is Role.ACTIVE, changing=None)
    state = node.state
    if state is None:
        state = checked(token.start(RULES, node.own, 0.0), node)
    for content in messages:
        state = checked(token.receive(RULES, state, node.own, content, 0.0), node, state)
    state = checked(token.step(RULES, state, node.own, 0.0), node, state)
    decision = token.decide(RULES, state, node.own, 0.0)
    wish = decision.wanted
    if wish is not None and (wish is Role.ACTIVE) is not node.on:
        node = replace(node, changing=wish)
        state = checked(token.step(RULES, state, node.own, 0.0), node, state)
        decision = token.decide(RULES, state, node.own, 0.0)
    return replace(node, state=aged(state)), decision.content


def tick(world, lost=()):
    """Go on by one interval; ``lost`` names the directions whose message does not arrive."""
    a, says_a = run_node(world.a, world.to_a)
    b, says_b = run_node(world.b, world.to_b)
    to_b = () if says_a is None or "ab" in lost else (says_a,)
    to_a = () if says_b is None or "ba" in lost else (says_b,)
    # Who sleeps finds on waking what has come meanwhile.
    if world.a.asleep and world.a.alive:
        to_a = (*world.to_a, *to_a)[-3:]
    if world.b.asleep and world.b.alive:
        to_b = (*world.to_b, *to_b)[-3:]
    return renumbered(World(a, b, to_a, to_b))


def renumbered(world):
    """Count terms from the smallest one in sight: only their order matters."""
    states = [node.state for node in (world.a, world.b) if node.state is not None]
    contents = [*world.to_a, *world.to_b, *(s.message for s in states if s.message)]
    base = min([*(s.term for s in states), *(c.term for c in contents)], default=0)
    if not base:
        return world

    def content(one):
        return one and replace(one, term=one.term - base)

    def node(one):
        if one.state is None:
            return one
        state = one.state
        message = content(state.message)
        return replace(one, state=replace(state, term=state.term - base, message=message))

    return World(
        node(world.a),
        node(world.b),
        tuple(map(content, world.to_a)),
        tuple(map(content, world.to_b)),
    )


def wake(node):
    woken = token.wake_late(RULES, node.state, node.own, SLEEP, 0.0)
    return replace(node, state=checked(woken, node, node.state))


NEXT_LINES = {
    Line.UP: (Line.DOWN,),
    Line.DOWN: (Line.RECOVERING,),
    Line.RECOVERING: (Line.UP, Line.DOWN),
    None: (Line.UP,),
}


def misfortunes(world):
    """Everything that may befall either gateway now."""
    for side in ("a", "b"):
        node = getattr(world, side)
        if node.alive and not node.asleep:
            for line in NEXT_LINES[node.line]:
                yield replace(world, **{side: replace(node, line=line)})
            dead = replace(node, alive=False, on=False, changing=None, state=None)
            yield replace(world, **{side: dead, f"to_{side}": ()})
            # kill -9 and a start at once: what it held, it holds.
            yield replace(world, **{side: replace(node, state=None), f"to_{side}": ()})
            if node.state is not None:
                yield replace(world, **{side: replace(wake(node), asleep=SLEEP)})
            yield replace(world, **{side: replace(node, maintenance=not node.maintenance)})
        elif not node.alive:
            yield replace(world, **{side: replace(node, alive=True)})


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
        if world == before:
            passed += [world] * (ticks - len(passed))  # nothing will ever change again
            break
        passed.append(world)
    return passed


def fresh():
    return World(Node(2, 150), Node(1, 100))
