"""Path options of a profile, as a configuration would give them."""

import msgspec

from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import PROFILES
from havpn_core.config.read import decode_hook


def profile(name, **changes):
    return msgspec.convert(
        {**PROFILES[name], **changes, "profile": name}, PathOptions, dec_hook=decode_hook
    )
