"""Pure: what is to be measured of each contender, and what of it is left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CUT, FAULT, LOSS, IDLE = "cut", "fault", "loss", "idle"
PERFECT, ALIKE = "perfect", "alike"
SPELLS = "spells"
ONE_WAY, LAN_PORT, POWER_OFF = "line cut one way", "LAN port", "power off"
DAEMON_KILLED, TUNNEL = "daemon killed", "SA deleted"
LINES = ("10", "20", SPELLS)
NEAR_MS = 1.0


@dataclass(frozen=True)
class Cell:
    """One measurement.

    :param kind: :data:`IDLE`, :data:`CUT`, :data:`FAULT` or :data:`LOSS`.
    :param what: the fault; of :data:`LOSS` what line 1 does: percent lost each way, or spells.
    :param amount: repeats; of :data:`IDLE` and :data:`LOSS` seconds.
    :param rtt_ms: round-trip time of line 1.
    :param second: of :data:`LOSS` whether line 2 is perfect or like line 1.
    :param network: cells of a contender with the same name share a network with its daemons.
    """

    kind: str
    what: str
    amount: int
    rtt_ms: float = NEAR_MS
    second: str = ""
    network: str = "near"

    @property
    def key(self) -> str:
        """Its name in the file of results."""
        return "/".join(filter(None, (self.kind, self.what, self.second, f"{self.rtt_ms:g} ms")))


@dataclass(frozen=True)
class Size:
    """How much of everything.

    :param cuts, slow_cuts: of a line at each distance; the second where each takes many seconds.
    :param faults: repeats of each other fault; of the named ones only.
    :param loss_s: of each bad line.
    :param apart: give each bad line a network of its own, so that none sees what came before.
    """

    rtts_ms: tuple[float, ...]
    cuts: int
    slow_cuts: int
    faults: Mapping[str, int]
    lines: tuple[tuple[str, str], ...]
    loss_s: int
    idle_s: int
    apart: bool


FULL = Size(
    rtts_ms=(1.0, 20.0, 80.0, 200.0),
    cuts=10,
    slow_cuts=5,
    faults=dict.fromkeys((ONE_WAY, LAN_PORT, POWER_OFF, DAEMON_KILLED, TUNNEL), 5),
    lines=tuple((line, second) for line in LINES for second in (PERFECT, ALIKE)),
    loss_s=60,
    idle_s=30,
    apart=True,
)
QUICK = Size(
    rtts_ms=(NEAR_MS,),
    cuts=3,
    slow_cuts=2,
    faults=dict.fromkeys((ONE_WAY, LAN_PORT, POWER_OFF), 1),
    lines=(("20", PERFECT),),
    loss_s=20,
    idle_s=5,
    apart=False,
)


def cells(size: Size, *, slow: bool = False, routed: bool = True, ipsec: bool = True) -> list[Cell]:
    """List what is measured of a contender, those of one network after each other.

    :param slow: whether each fault takes it many seconds.
    :param routed: whether it runs where providers route the LANs in the clear.
    :param ipsec: whether it runs where tunnels carry them.
    """
    made: list[Cell] = []
    if routed:
        made.append(Cell(IDLE, "", size.idle_s))
        cuts = size.slow_cuts if slow else size.cuts
        for rtt_ms in size.rtts_ms:
            network = "near" if rtt_ms == NEAR_MS else f"{rtt_ms:g} ms"
            made.append(Cell(CUT, "line cut", cuts, rtt_ms, network=network))
        made += [Cell(FAULT, name, n) for name, n in size.faults.items() if name != TUNNEL]
        for line, second in size.lines:
            network = f"{line}, {second}" if size.apart else "near"
            made.append(Cell(LOSS, line, size.loss_s, second=second, network=network))
    if ipsec and TUNNEL in size.faults:
        made.append(Cell(FAULT, TUNNEL, size.faults[TUNNEL], network="tunnel"))
    order = list(dict.fromkeys(cell.network for cell in made))
    return sorted(made, key=lambda cell: order.index(cell.network))


def left(wanted: Iterable[Cell], amounts: Mapping[str, int]) -> list[Cell]:
    """Leave out what was measured in at least the same amount.

    :param amounts: of what was measured, by key.
    """
    return [cell for cell in wanted if amounts.get(cell.key, 0) < cell.amount]


def networks(wanted: Sequence[Cell]) -> list[list[Cell]]:
    """Put those of one network together."""
    groups: dict[str, list[Cell]] = {}
    for cell in wanted:
        groups.setdefault(cell.network, []).append(cell)
    return list(groups.values())
