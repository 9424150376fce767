"""Pure: what is said of a stream, for people and for the core."""

from typing import Any

from havpn_core import Role, Stance, StreamSession

LATELY_S = 3.0
"""What the far gateway said of itself counts for so many seconds; that it is away, for longer."""


def failing(session: StreamSession, now_s: float, trouble: str) -> str | None:
    """Say why packets of a stream that was heard are lost; ``None`` if none are.

    :param trouble: what the kernel said of the last one that did not go.
    """
    if session.refusing(now_s):
        return "the far host lives, its stream stopped or is missing"
    runs = session.runs
    if runs.late:
        return f"no packet for {session.silent_s(now_s):.2f} s"
    if runs.unheard:
        return "the far gateway does not hear this one: the way out is dead"
    if runs.away:
        return "the far gateway is not to be used"
    return (trouble or "unreachable") if runs.unreachable else None


def unheard(host: str, port: int, trouble: str, *, refused: bool) -> str:
    """Say what to do where nothing was heard yet.

    :param trouble: as in :func:`failing`.
    :param refused: the host says that nobody listens there.
    """
    if refused:
        return (
            f"nobody listens on UDP port {port} of {host}: configure a probe of type stream "
            "towards this gateway there"
        )
    if host == "dynamic":
        host = "the far end"
    if trouble:
        return f"nothing heard from {host} yet: {trouble}"
    return (
        f"nothing heard from {host} yet: configure a probe of type stream towards this gateway "
        f"there, with the same key, and let UDP port {port} pass both ways"
    )


def notice(session: StreamSession, now_s: float) -> str | None:
    """Give how the far gateway says that it stands, in a word of :class:`havpn_core.Noticing`."""
    far = session.far
    if far is None:
        return None
    if far.stance.away:
        return "away"
    if session.silent_s(now_s) > LATELY_S:
        return None
    if far.stance.role is Role.STANDBY:
        return "standby"
    return "no road" if far.stance.no_road else None


def left(session: StreamSession, now_s: float) -> bool:
    """Whether the far gateway says that it has just left this line."""
    return (
        session.far is not None and session.far.stance.left and session.silent_s(now_s) <= LATELY_S
    )


def stance(session: StreamSession, now_s: float) -> Stance | None:
    """Give how the far gateway says that it stands; ``None`` if that is not known, or old."""
    if session.far is None or session.silent_s(now_s) > LATELY_S:
        return None
    return session.far.stance


def facts(session: StreamSession, now_s: float) -> dict[str, Any]:
    """Give what the status shows."""
    return {
        "interval_ms": _ms(session.pace_s(now_s)),
        "loss_out": _share(session.ways.outwards.share),
        "loss_back": _share(session.ways.inwards.share),
        "rtt_ms": _ms(session.rtt_s),
        "jitter_ms": _ms(session.jitter_s),
        "margin_ms": _ms(session.margin_s),
        "late": session.runs.late,
        "late_there": session.runs.unheard,
        "voided": session.voided,
        "far": _far(session, now_s),
    }


def _far(session: StreamSession, now_s: float) -> dict[str, Any] | None:
    if session.far is None:
        return None
    said = session.far.stance
    return {
        "role": said.role.value if said.role else None,
        "fit": said.fit,
        "maintenance": said.maintenance,
        "paused": said.paused,
        "verdict": said.verdict.value if said.verdict else None,
        "age_s": round(session.silent_s(now_s), 3),
        "name": said.name or None,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
