"""Path options of a profile, as a configuration would give them."""

import msgspec

from havpn_core.config.convert import decode_hook
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import PROFILES


def profile(name, **changes):
    return msgspec.convert(
        {**PROFILES[name], **changes, "profile": name}, PathOptions, dec_hook=decode_hook
    )
