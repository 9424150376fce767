"""Fixtures of the probes' tests."""

import os

import pytest
from probe_world import Surroundings, laid_wire


@pytest.fixture
def world():
    return Surroundings()


@pytest.fixture
def wire():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with laid_wire() as cable:
        yield cable
