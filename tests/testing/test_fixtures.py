"""The fixtures that plugin packages get, and how a hook would go away."""

import pluggy
import pytest

from havpn_core.plugging.deprecated import Deprecation, warning_for


def test_the_clock_goes_only_forward(havpn_clock):
    assert havpn_clock() == 0
    havpn_clock.advance(1.5)
    assert havpn_clock() == 1.5
    with pytest.raises(ValueError, match="never goes back"):
        havpn_clock.advance(-1)


def test_a_registry_is_fresh_each_time(havpn_registry):
    one, two = havpn_registry(), havpn_registry()
    assert one is not two
    assert one.get("probe", "udp-echo").name == "udp-echo"


def test_samples_go_through_a_path_s_rules(havpn_path):
    changes = havpn_path("..xxx....", fall=3, rise=2)
    assert [(sample, verdict.value) for sample, verdict in changes][-3:] == [
        (5, "down"),
        (6, "recovering"),
        (7, "up"),
    ]


@pytest.mark.lab
def test_two_hosts_with_a_line_that_can_be_cut(havpn_two_hosts):
    ping = ("ping", "-c1", "-W1", "192.0.2.2")
    assert havpn_two_hosts.left.run(*ping, check=False).returncode == 0
    havpn_two_hosts.cut()
    assert havpn_two_hosts.left.run(*ping, check=False).returncode == 1


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_a_hook_that_is_to_go_warns_who_implements_it():
    known = (Deprecation("old_hook", "new_hook", "2.0"),)
    assert warning_for("new_hook", known) is None

    class Specs:
        @pluggy.HookspecMarker("havpn")(warn_on_impl=warning_for("old_hook", known))
        def old_hook(self): ...

    class Plugin:
        @pluggy.HookimplMarker("havpn")
        def old_hook(self): ...

    plugins = pluggy.PluginManager("havpn")
    plugins.add_hookspecs(Specs)
    with pytest.raises(DeprecationWarning, match=r"goes away in havpn 2\.0: implement new_hook"):
        plugins.register(Plugin())
