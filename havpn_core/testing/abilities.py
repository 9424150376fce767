"""What an instance must hold to that can do more than its kind must: prepare, look, diagnose."""

import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from havpn_core.errors import CallOverdue, HavpnError
from havpn_core.pair.frames import BIGGEST
from havpn_core.plugging.clusters import Advising, PartnerSeeing, Ranking
from havpn_core.plugging.diagnosis import Diagnosing, Diagnosis, Level
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.protocols import LanPresence, Prepares
from havpn_core.rules.role import Role
from havpn_core.testing.made import GRACE_S

PREPARE_S = 0.1
DIAGNOSE_S = 2.0
LOOK_S = 0.2
CLUSTER_LOOK_S = RANK_S = 2.0
LINK_ADDRESS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


async def check_diagnosing(caller: Caller) -> None:
    """A diagnosis keeps its time, beside a daemon or not, and each trouble has a remedy."""
    if not caller.able(Diagnosing):
        return
    for running in (True, False):
        what = f"diagnose(running={running})"
        limit = DIAGNOSE_S
        try:
            given = await caller.call("diagnose", limit, running, deadline_s=limit + GRACE_S)
        except CallOverdue:
            raise AssertionError(f"{what} did not keep its time of {limit} s") from None
        except HavpnError as problem:
            raise AssertionError(f"{what} raised {problem}; that is a Diagnosis") from None
        assert isinstance(given, list | tuple), f"{what} gave {given!r}, which is no list"
        for each in given:
            assert isinstance(each, Diagnosis), f"{what} gave {each!r}, which is no Diagnosis"
            assert isinstance(each.level, Level), f"{what} gave the level {each.level!r}"
            assert each.text, f"{what} gave a Diagnosis without a text"
            assert each.remedy or each.level is Level.OK, f"{what}: {each.text!r} has no remedy"


async def check_prepares(caller: Caller, role: Role, held: Callable[[], Role] | None) -> None:
    """Preparing keeps its time, may come twice, and leaves the role in force as it is.

    :param held: looks from outside which role is in force.
    """
    if not caller.able(Prepares):
        return
    before = held() if held is not None else None
    for _ in range(2):
        try:
            await caller.call("prepare", role, PREPARE_S, deadline_s=PREPARE_S + GRACE_S)
        except CallOverdue:
            raise AssertionError(f"prepare did not keep its time of {PREPARE_S} s") from None
        except HavpnError as problem:
            raise AssertionError(f"prepare({role.value}) failed: {problem}") from None
    if held is not None:
        assert held() is before, f"prepare({role.value}) changed the role in force"


async def check_partner_seeing(caller: Caller) -> None:
    """A look at the partner keeps its time and says yes, no or nothing, also without a cluster."""
    if not caller.able(PartnerSeeing):
        return
    limit = CLUSTER_LOOK_S
    try:
        serves = await caller.call("partner_serves", limit, deadline_s=limit + GRACE_S)
    except CallOverdue:
        raise AssertionError(f"partner_serves did not keep its time of {limit} s") from None
    except HavpnError as problem:
        raise AssertionError(f"partner_serves raised {problem}; that is None") from None
    assert serves is None or isinstance(serves, bool), (
        f"partner_serves gave {serves!r}, neither true, false nor None"
    )
    turn = _quick("turn", caller.instance.turn)
    assert turn is None or (type(turn) is int and turn >= 0), (
        f"turn gave {turn!r}, neither None nor a number from 0 up"
    )


def check_advising(caller: Caller) -> None:
    """Whether a cluster manager may go another way is said at once, by true or false."""
    if caller.able(Advising):
        said = _quick("advises", caller.instance.advises)
        assert isinstance(said, bool), f"advises gave {said!r}, neither true nor false"


async def check_ranking(caller: Caller) -> None:
    """A score is written, or refused by an error, within its time."""
    if not caller.able(Ranking):
        return
    for score in (0, 120, 120, 200):
        try:
            ended = await caller.call("rank", score, RANK_S, deadline_s=RANK_S + GRACE_S)
        except CallOverdue:
            raise AssertionError(f"rank did not keep its time of {RANK_S} s") from None
        except HavpnError:
            continue  # there may be no cluster here
        assert ended is None, f"rank gave {ended!r}, not None"


async def check_lan_presence(caller: Caller) -> None:
    """What a presence on a LAN promises whatever LAN there is, also without a carrier."""
    if not caller.able(LanPresence):
        return
    instance = caller.instance
    address = _quick("lan_address", instance.lan_address)
    assert address is None or _is_link_address(address), (
        f"lan_address gave {address!r}, neither None nor in the form 02:00:00:00:00:01"
    )
    _quick("tell_broadcasts", lambda: instance.tell_broadcasts(lambda sender, frame: None))
    check_broadcast(caller)
    try:
        seen = await caller.call("owners_seen", LOOK_S, deadline_s=LOOK_S + GRACE_S)
    except CallOverdue:
        raise AssertionError(f"owners_seen did not keep its time of {LOOK_S} s") from None
    except HavpnError:
        return  # no probe can be sent here
    good = isinstance(seen, Sequence) and not isinstance(seen, str | bytes)
    assert good, f"owners_seen gave {seen!r}, which is no sequence"
    wrong = [each for each in seen if not _is_link_address(each)]
    assert not wrong, f"owners_seen gave {wrong}, not in the form 02:00:00:00:00:01"


def check_broadcast(caller: Caller) -> None:
    """Broadcasting never waits and never raises, also after ``close``."""
    if caller.able(LanPresence):
        for frame in (bytes(BIGGEST), b""):
            _quick("broadcast", partial(caller.instance.broadcast, frame))


def _is_link_address(value: object) -> bool:
    return isinstance(value, str) and LINK_ADDRESS.fullmatch(value) is not None


def _quick(name: str, method: Callable[[], Any]) -> Any:
    began = time.monotonic()
    try:
        result = method()
    except Exception as problem:
        raise AssertionError(f"{name} raised {problem!r}") from None
    assert time.monotonic() - began < GRACE_S, f"{name} waited"
    return result
