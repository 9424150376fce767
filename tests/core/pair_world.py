"""Two gateways, a channel and a clock of whole intervals; every misfortune is a choice."""

from dataclasses import dataclass, fields, replace

from havpn_core.pair import token
from havpn_core.pair.message import Line
from havpn_core.pair.token import Own, Rules, State
from havpn_core.rules.role import Role

RULES = Rules(interval_s=1.0, dead_s=3.0, takeover_s=6.0, rest_s=8.0)
TIMES = {"patience_s", "heard_s", "doubt_s", "deaf_s", "taking_s", "unfit_until_s", "well_s"}
OLDEST = -10.0
SLEEP = 6


@dataclass(frozen=True)
class Node:
    """One gateway; ``on`` says whether it answers for the shared address."""

    number: int
    priority: int
    line: Line | None = Line.UP
    on: bool = False
    changing: Role | None = None
    asleep: int = 0
    maintenance: bool = False
    alive: bool = True
    state: State | None = None

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
        state = token.begin(RULES, node.own, 0.0)
    for content in messages:
        state = token.hear(RULES, state, node.own, content, 0.0)
    state = token.step(RULES, state, node.own, 0.0)
    decision = token.decide(RULES, state, node.own, 0.0)
    wish = decision.wanted
    if wish is not None and (wish is Role.ACTIVE) is not node.on:
        node = replace(node, changing=wish)
        state = token.step(RULES, state, node.own, 0.0)
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
    contents = [*world.to_a, *world.to_b, *(s.told for s in states if s.told is not None)]
    base = min([*(s.term for s in states), *(c.term for c in contents)], default=0)
    if not base:
        return world

    def content(one):
        return one and replace(one, term=one.term - base)

    def node(one):
        if one.state is None:
            return one
        state = one.state
        return replace(one, state=replace(state, term=state.term - base, told=content(state.told)))

    return World(
        node(world.a),
        node(world.b),
        tuple(map(content, world.to_a)),
        tuple(map(content, world.to_b)),
    )


def wake(node):
    return replace(node, state=token.wake_late(RULES, node.state, node.own, SLEEP, 0.0))


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


def settle(world, ticks=40):
    """Let it run with every message arriving; give the worlds passed through."""
    passed = []
    for _ in range(ticks):
        before, world = world, tick(world)
        if world == before:
            passed += [world] * (ticks - len(passed))  # nothing will ever change again
            break
        passed.append(world)
    return passed


def fresh():
    return World(Node(2, 150), Node(1, 100))
