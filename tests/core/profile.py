"""Path options of a profile, as a configuration would give them."""

import msgspec

from havpn_core.config.convert import decode_hook
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import with_profile


def profile(name, **changes):
    return msgspec.convert(
        with_profile({**changes, "profile": name}), PathOptions, dec_hook=decode_hook
    )


def targeted(name, **changes):
    """Give the same with a target of one false switch in 100 h, unless a fall is given."""
    target = {} if name == "article" or "fall" in changes else {"false_switches": "1/100h"}
    return profile(name, **{**target, **changes})
