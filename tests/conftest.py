import os
import warnings

import pytest
from hypothesis import settings

from havpn_core.pair.run import CHECKED

# What a host takes for an example says nothing of the code.
settings.register_profile("timeless", deadline=None)
settings.load_profile("timeless")

# Every daemon that a test starts checks its own state after each step, and ends if it is broken.
os.environ.setdefault(CHECKED, "1")


def pytest_collection_modifyitems(items):
    """Only an unprivileged run may leave the lab out, and it says so loudly."""
    if os.geteuid() == 0:
        return
    left_out = [item for item in items if item.get_closest_marker("lab")]
    for item in left_out:
        item.add_marker(pytest.mark.skip(reason="needs root: THE LAB WAS NOT RUN"))
    if left_out:
        warnings.warn(f"NOT ROOT: {len(left_out)} lab tests were left out", stacklevel=1)
