"""Pure: the policy of the tunnels."""

from collections.abc import Iterator

from havpn_core.site.model.model import Model
from havpn_core.site.model.problem import Problem
from havpn_core.site.model.proposals import WEAK, faults, parsed


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    tunnel = model.options.tunnel
    for key, text, ike in (("ike", tunnel.ike, True), ("esp", tunnel.esp, False)):
        for wrong, remedy in faults(text, ike=ike):
            yield Problem(f"tunnel.{key}", wrong, remedy)


def seldom_meant(model: Model) -> Iterator[Problem]:
    """Give what is possible, but seldom meant."""
    tunnel = model.options.tunnel
    for key, text in (("ike", tunnel.ike), ("esp", tunnel.esp)):
        for proposal in parsed(text):
            for word, _ in proposal.words:
                if word in WEAK:
                    yield Problem(
                        f"tunnel.{key}",
                        f"{word} is weak (RFC 8221, RFC 8247)",
                        "write one of today, as aes128gcm16 or ecp256",
                    )
