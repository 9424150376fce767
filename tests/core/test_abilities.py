"""What an instance may be able to do besides is a named protocol, found without trusting it."""

import inspect
import typing

import pytest

import havpn_core
from havpn_core import (
    AddressProbing,
    Announcing,
    LanPresence,
    Renewable,
    Reporting,
    SharedAddress,
)
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.protocols import ABILITIES, able


@pytest.mark.parametrize("ability", ABILITIES)
def test_the_table_of_methods_is_what_the_protocol_says(ability):
    methods = {
        name
        for base in ability.__mro__
        if base not in (object, typing.Protocol, typing.Generic)
        for name in vars(base)
        if not name.startswith("_") and inspect.isfunction(getattr(base, name))
    }
    assert methods == set(ABILITIES[ability])
    assert ability.__name__ in havpn_core.__all__


class Bare:
    def check(self, timeout_s): ...


class Able(Bare):
    def renew(self): ...
    def facts(self): ...
    async def answered_by(self, timeout_s): ...


class Unfit:
    """Has the names, but no plain methods."""

    facts = 3

    async def renew(self): ...
    async def announce(self): ...


class Raising:
    def __getattr__(self, name):
        raise SystemExit(name)


class Lying:
    @property
    def __class__(self):
        raise KeyboardInterrupt

    def __getattr__(self, name):
        return lambda *arguments: None


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Bare, set()),
        (Able, {Renewable, Reporting, AddressProbing}),
        (Unfit, set()),
        (Raising, set()),
        (Lying, set(ABILITIES)),
    ],
)
def test_what_an_instance_can_do(made, expected):
    instance = made()
    assert {ability for ability in ABILITIES if able(instance, ability)} == expected
    caller = Caller(instance, "test")
    assert {ability for ability in ABILITIES if caller.able(ability)} == expected
    assert (caller.renew is not None) == (Renewable in expected)


def test_the_bundled_types_have_the_abilities_that_their_kind_needs(tmp_path):
    from havpn_plugins.actions.alias_arp import havpn_register_actions

    from havpn_core.testing import context

    (kind,) = havpn_register_actions()
    options = kind.config(device="lo", addresses=["10.255.0.1/24"])
    action = kind.build(options, context(run_dir=tmp_path))
    assert able(action, SharedAddress)
    assert able(action, Announcing)
    assert able(action, LanPresence)
