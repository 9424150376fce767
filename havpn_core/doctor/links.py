"""Whether the links of a pair bring frames of the partner, signed with the key that is known here.

No signed frame is sent: it would be one of a gateway that restarted, and the partner would act by
it. The partner sends at each interval, whoever hears it, so listening is enough.
"""

import asyncio
import secrets
import time
from pathlib import Path

from havpn_core.config.instances import Instance
from havpn_core.doctor.actions import diagnosed
from havpn_core.doctor.case import Case
from havpn_core.doctor.clock import ahead_of_us
from havpn_core.doctor.finding import Finding
from havpn_core.errors import HavpnError
from havpn_core.host.disk.keys import read_keys
from havpn_core.pair.frames import NONCE_BYTES, Authenticator
from havpn_core.pair.wire.heads import read_head
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.inlet import Inlet

TRY = b"\x01"
"""A frame that is too short for any: a partner that gets it counts it, and does nothing else."""
LEAST_S, MOST_S, FRAMES = 1.0, 6.0, 12
STEP_S = 0.05
GENUINE = ("good", "greeting", "duplicate", "replay", "self")
"""Verdicts on frames that the partner's key signed."""
SAME_KEY = "copy pair.key_file to both gateways, and run havpn reload on both"
SAME_RELEASE = "install the same release of havpn on both gateways"


async def look(case: Case) -> list[Finding]:
    """Query the daemon, or listen on each link where none runs."""
    if case.config.pair is None:
        return []
    if case.running:
        return _reported(case)
    try:
        keys = read_keys(Path(case.config.pair.options.key_file))
    except HavpnError:
        return []  # the check of needs says so
    wait_s = min(MOST_S, max(LEAST_S, FRAMES * float(case.config.pair.options.interval)))
    found = await asyncio.gather(
        *(_heard(case, each, keys, wait_s) for each in case.links if each.name not in case.lacking)
    )
    return [finding for findings in found for finding in findings]


async def _heard(
    case: Case, link: Instance, keys: tuple[bytes, ...], wait_s: float
) -> list[Finding]:
    """Listen on one link.

    :param wait_s: seconds to wait for a frame.
    """
    frames: list[bytes] = []
    try:
        caller = case.build(link, received=Inlet(coercion.as_frame, frames.append))
    except HavpnError as problem:
        return [Finding.failed(link.name, f"cannot be built: {problem}", "correct its table")]
    try:
        found = await diagnosed(case, link, caller)
        if not any(each.broken for each in found):
            await _listen(caller, frames, wait_s)
    finally:
        caller.close_link()
    broken = [each for each in found if each.broken]
    return broken or found + judged(link.name, frames, keys, time.time())


async def _listen(caller: Caller, frames: list[bytes], wait_s: float) -> None:
    until_s = asyncio.get_running_loop().time() + wait_s
    caller.send(TRY)  # opens what the link opens when it is first used
    while not frames and asyncio.get_running_loop().time() < until_s:
        await asyncio.sleep(STEP_S)


def judged(
    subject: str, frames: list[bytes], keys: tuple[bytes, ...], now_s: float
) -> list[Finding]:
    """Say what the frames of one link mean.

    :param now_s: seconds of the wall clock since 1970.
    """
    judge = Authenticator(keys, 1, secrets.token_bytes(NONCE_BYTES))
    genuine = []
    for frame in frames:
        before = dict(judge.counts)
        judge.judge(frame)
        if any(judge.counts[verdict] > before[verdict] for verdict in GENUINE):
            genuine.append(frame)
    counts = judge.counts
    if genuine:
        found = [Finding.good(subject, "frames of the partner come, signed with the known key")]
        written_us = max(read_head(frame).incarnation for frame in genuine)
        return found + ahead_of_us(subject, written_us, now_s)
    if counts["key"] or counts["mac"]:
        return [Finding.failed(subject, "frames come that another key signed", SAME_KEY)]
    if counts["version"]:
        text = "frames come of another version of the protocol"
        return [Finding.failed(subject, text, SAME_RELEASE)]
    remedy = "start havpn on the partner; if it runs, check the cable, the addresses and firewalls"
    if frames:
        return [Finding.failed(subject, "what comes are no frames of a pair", remedy)]
    return [Finding.failed(subject, "no frame of the partner comes", remedy)]


def _reported(case: Case) -> list[Finding]:
    """Give what the daemon knows of its links and its partner."""
    if case.status is None:
        return []
    pair = case.status.pair
    if pair is None:
        text = "the daemon runs without it"
        return [Finding.failed("pair", text, "take the file over: havpn reload")]
    found = [Finding.failed("pair", *_parted(text)) for text in pair.troubles]
    for link in case.links:
        known = pair.links.get(link.id)
        if known is None:
            text = "the daemon does not know it"
            found.append(Finding.failed(link.name, text, "take the file over: havpn reload"))
        elif known.alive:
            found.append(Finding.good(link.name, "brings frames of the partner"))
        elif not pair.troubles:
            text = f"no frame of the partner{_since(known.heard_s)}"
            remedy = "check its cable, its addresses and the firewall"
            found.append(Finding.failed(link.name, text, remedy))
    return found


def _since(heard_s: float | None) -> str:
    return " yet" if heard_s is None else f" for {heard_s:.1f} s"


def _parted(text: str) -> tuple[str, str]:
    """Part a trouble from its remedy, which every one ends with."""
    problem, _, remedy = text.partition(": ")
    return problem, remedy or "see havpn status on both gateways"
