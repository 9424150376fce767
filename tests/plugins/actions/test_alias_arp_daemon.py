"""alias-arp in the real daemon: put right, adopted, reloaded, and given up without it."""

import time

import pytest
from alias_world import BOTH, FOUR, OWN, SIX, Segment

from havpn_core.testing.lab import wait_for
from havpn_core.testing.lab.daemons.supervisor import Supervisor

pytestmark = pytest.mark.lab

CONFIG = """
[path.vpn1]
interval = "50ms"
timeout = "200ms"
fall = 3
rise = 3
{path}
[path.vpn1.probe.line]
type = "exec"
command = ["sh", "-c", "test ! -e /run/dead || exit 2"]
{action}
"""
ACTION = """
[action.gateway]
type = "alias-arp"
device = "lan"
addresses = {addresses}
{more}
"""


def config(addresses=BOTH, more="", path='initial = "up"', action=ACTION):
    text = str(addresses).replace("'", '"')
    return CONFIG.format(path=path, action=action.format(addresses=text, more=more))


@pytest.fixture(scope="module")
def segment():
    built = Segment()
    yield built
    built.close()


class Gateway:
    def __init__(self, segment):
        self.segment, self.station = segment, segment["gw-a"]
        self.daemon = Supervisor(self.station.host, config())

    def start(self, **options):
        self.daemon.configure(config(**options))
        self.daemon.start()
        return self

    def shared(self):
        return self.station.shared()

    def wait_shared(self, *wanted, within=10.0):
        begun = time.monotonic()
        wait_for(lambda: self.shared() == sorted(wanted), within, f"exactly {wanted}", poll=0.01)
        return time.monotonic() - begun

    def release(self, check=True):
        return self.daemon.command("release", "-c", "/etc/havpn/havpn.toml", check=check)


@pytest.fixture
def gateway(segment):
    made = Gateway(segment)
    yield made
    made.daemon.kill()
    made.station.host.run("sh", "-c", "rm -rf /run/havpn /var/lib/havpn /run/dead")
    for name in made.shared():
        made.station.ip("address", "del", f"{name}/{16 if name == FOUR else 64}", "dev", "lan")


def test_takes_on_a_good_line_and_gives_up_on_a_dead_one(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)
    gateway.station.host.run("touch", "/run/dead")
    gateway.wait_shared()
    gateway.daemon.wait_role("standby", 5)
    gateway.station.host.run("rm", "/run/dead")
    gateway.wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)
    facts = gateway.daemon.read_status().actions["gateway"].facts
    assert facts["frames"] > 0
    assert facts["conflicts"] == 0


def test_what_is_changed_by_hand_is_put_right_within_seconds(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    for number, (address, length) in enumerate([(FOUR, 16), (SIX, 64)] * 2):
        with gateway.segment.capture("ether", "src", OWN["gw-a"][2]) as heard:
            gateway.station.ip("address", "del", f"{address}/{length}", "dev", "lan")
            assert gateway.wait_shared(FOUR, SIX) < 3.0
            wait_for(lambda h=heard, a=address: a in str(h()), 2, f"announcement {number}")
    gateway.station.host.run("touch", "/run/dead")
    gateway.daemon.wait_role("standby", 5)
    for address, length in [(FOUR, 16), (SIX, 64)] * 2:
        gateway.station.ip("address", "add", f"{address}/{length}", "dev", "lan", "nodad")
        assert gateway.wait_shared() < 3.0
    assert "overridden" not in gateway.daemon.log()


def test_a_device_that_comes_back_is_used_within_seconds_whatever_was_tried(gateway):
    gateway.start(addresses=BOTH[:1]).wait_shared(FOUR)
    gateway.station.ip("link", "set", "lan", "down")
    gateway.station.ip("link", "set", "lan", "name", "away")
    try:
        gateway.daemon.wait_until(
            lambda s: s.actions["gateway"].failures >= 3, 20, "three failures"
        )
        assert "no device lan" in gateway.daemon.read_status().actions["gateway"].error
    finally:
        gateway.station.ip("address", "flush", "dev", "away")
        gateway.station.ip("link", "set", "away", "name", "lan")
        gateway.station.ip("link", "set", "lan", "up")
        for own in OWN["gw-a"][:2]:
            gateway.station.ip("address", "replace", own, "dev", "lan")
    assert gateway.wait_shared(FOUR) < 3.0  # the pause had grown to 4 s and more


def test_leftovers_of_a_killed_daemon_are_adopted_and_announced(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)
    gateway.daemon.kill()
    assert gateway.shared() == sorted([FOUR, SIX])
    with gateway.segment.capture("arp", "and", "host", FOUR) as heard:
        gateway.daemon.start()
        wait_for(lambda: f"Reply {FOUR} is-at" in str(heard()), 5, "an announcement")
        for _ in range(20):
            assert gateway.shared() == sorted([FOUR, SIX])
            time.sleep(0.02)


def test_leftovers_of_a_killed_daemon_are_removed_where_standby_is_wanted(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)
    gateway.daemon.kill()
    gateway.station.host.run("touch", "/run/dead")
    gateway.daemon.start()
    gateway.wait_shared()


def test_with_a_lifetime_the_kernel_ends_what_a_killed_daemon_held(gateway):
    gateway.start(more='lifetime = "4s"').wait_shared(FOUR, SIX)
    time.sleep(5)
    assert gateway.shared() == sorted([FOUR, SIX])
    gateway.daemon.kill()
    assert gateway.wait_shared(within=7) > 1.0


def test_a_reload_moves_to_the_new_addresses_and_lets_the_old_ones_go(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.configure(config(addresses=[BOTH[0], "10.9.255.250/16"]))
    gateway.daemon.reload()
    wait_for(
        lambda: gateway.shared() == [FOUR] and "10.9.255.250" in gateway.station.addresses(),
        5, "the new addresses",
    )  # fmt: skip
    gateway.daemon.configure(config(action=""))
    gateway.daemon.reload()
    wait_for(
        lambda: not gateway.shared() and "10.9.255.250" not in gateway.station.addresses(),
        5, "the addresses of an action that is gone to go",
    )  # fmt: skip


def test_a_reload_of_another_option_keeps_the_addresses(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.configure(config(more='refresh = "200ms"'))
    watch = gateway.station.host.popen("ip", "monitor", "address", stdout=-1, text=True)
    gateway.daemon.reload()
    with gateway.segment.capture("arp", "and", "host", FOUR) as heard:
        wait_for(lambda: str(heard()).count("is-at") > 8, 10, "the faster refresh")
    watch.terminate()
    out, _ = watch.communicate(timeout=5)
    assert "Deleted" not in out


# --- havpn release ----------------------------------------------------------------------------


def test_release_gives_up_what_a_killed_daemon_left(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)
    gateway.daemon.kill()
    for _ in range(2):
        assert "action.gateway: released" in gateway.release()
        assert gateway.shared() == []
    assert OWN["gw-a"][0].partition("/")[0] in gateway.station.addresses()


@pytest.mark.parametrize(
    "spoilt", ["this is no TOML", "", '[action.gateway]\ntype = "gone"\n', None]
)
def test_release_needs_no_configuration(gateway, spoilt):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)
    gateway.daemon.kill()
    if spoilt is None:
        gateway.station.host.run("rm", "/etc/havpn/havpn.toml")
    else:
        gateway.daemon.configure(spoilt)
    assert "action.gateway: released" in gateway.release()
    assert gateway.shared() == []
    assert "nothing to release" in gateway.release()


def test_release_says_what_it_could_not_do(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)
    gateway.daemon.kill()
    refused = gateway.station.host.run(
        "setpriv", "--bounding-set", "-net_admin",
        *gateway.daemon._executable, "release", check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "not permitted" in refused.stderr
    assert gateway.shared() == sorted([FOUR, SIX])


def test_release_refuses_while_the_daemon_runs(gateway):
    gateway.start().wait_shared(FOUR, SIX)
    gateway.daemon.wait_role("active", 5)

    def release(*more):
        command = (*gateway.daemon._executable, "release", *more)
        return gateway.station.host.run(*command, check=False, timeout=20)

    refused = release()
    assert refused.returncode == 1
    assert "the daemon runs" in refused.stderr and "--force" in refused.stderr
    assert gateway.shared() == sorted([FOUR, SIX])
    forced = release("--force")
    assert forced.returncode == 0
    assert "action.gateway: released" in forced.stdout
    assert "the daemon runs" in forced.stderr
