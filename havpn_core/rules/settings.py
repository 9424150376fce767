"""All rules of one path in one value. Pure."""

from dataclasses import dataclass

from havpn_core.rules.damping import Damping
from havpn_core.rules.hysteresis import PathRules
from havpn_core.rules.quality import WindowRules


@dataclass(frozen=True, slots=True)
class Settings:
    """All rules of one path.

    :param timeout_s: the longest that a reply is waited for.
    :param slack_s: the least that a reply may take above the mean round trip.
    :param adaptive: judge lateness by the round trips so far, not by the timeout alone.
    :param switch_when_poor: a poor line is put down; otherwise it is only reported.
    :param require: how many probes must be OK.
    """

    rules: PathRules
    timeout_s: float
    slack_s: float = 0.015
    adaptive: bool = False
    window: WindowRules | None = None
    switch_when_poor: bool = False
    damping: Damping | None = None
    require: int = 1
