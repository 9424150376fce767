"""The quick start, typed word by word on two fresh machines of each Debian, to a working pair.

What is typed comes from the page itself: a block that is new there has to get its place here.
"""

import shutil
import signal
import subprocess
import time

import pytest

from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.fresh import FAR, FILE, NEAR, WORKS_S, Fresh
from tests.systemd.page import blocks, meant_for
from tests.systemd.pings import pings

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]
PAGE = "quickstart.md"
FIRST, SECOND = NEAR
PLACES = {
    "apt install ./havpn.deb": NEAR,
    "havpn keygen /etc/havpn/pair.key": (FIRST,),
    "chown root:havpn /etc/havpn/pair.key": (SECOND,),
    "[path.vpn1]": NEAR,
    "[pair]": (),  # the file of one who has a serial cable
    "install -D -m 644 /usr/share/havpn/systemd/serial.conf"
    " /etc/systemd/system/havpn.service.d/serial.conf": (),
    "table inet havpn {": NEAR,
    "echo net.ipv4.ip_forward=1 > /etc/sysctl.d/60-havpn.conf": NEAR,
    "havpn check": NEAR,
    "systemctl enable --now havpn": NEAR,
    "havpn status --watch": (SECOND,),
    "havpn events": (FIRST,),
    "havpn switch --to auto --clear": (FIRST, FAR[0]),
}
"""Where each block of the page is typed, by its first line."""
OWN_CHAIN = """\
ct state established,related accept
        iif lo accept
        icmp type echo-request accept
        ip saddr 10.1.0.0/16 tcp dport 22 accept
        """
SSH = "mkdir -p -m 700 .ssh && ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519"
TRUST = "echo StrictHostKeyChecking accept-new >.ssh/config"


def by_first_line():
    return {block.lines[0]: block for block in blocks(PAGE)}


def test_every_block_of_the_page_has_its_place():
    assert list(by_first_line()) == list(PLACES)


class Operator:
    """Who goes through the page."""

    def __init__(self, lab):
        self.lab, self.said = lab, {}

    def do(self, first, good=(0,)):
        """Type the block that begins so, where it belongs."""
        block = by_first_line()[first]
        for line in block.lines:
            for name in PLACES[first]:
                status, said = self.lab.type(name, meant_for(name, line))
                self.said[name, line] = status, said
                assert status in good, f"{name}: {line}: status {status}: {said}"

    def write_files(self):
        text = by_first_line()["[path.vpn1]"].text
        for name in PLACES["[path.vpn1]"]:
            self.lab.hosts[name].write(FILE, meant_for(name, text))

    def open_firewall(self):
        """Put the three rules into a chain of their own with the policy drop, as the page says."""
        text = by_first_line()["table inet havpn {"].text
        assert text.count("policy accept;\n        ") == 1
        strict = text.replace("policy accept;\n        ", f"policy drop;\n        {OWN_CHAIN}")
        for name in PLACES["table inet havpn {"]:
            rules = meant_for(name, strict)
            self.lab.hosts[name].run_in_network("nft", "-f", "-", input=rules)


def prepare(lab, deb):
    """Make the machines what an operator has: root on each, and nothing of ours."""
    for name in NEAR:
        machine = lab.machine(name)
        machine.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")
        shutil.copyfile(deb, machine.root / "root" / "havpn.deb")
        status, said = lab.type(name, f"{SSH} && {TRUST}")
        assert status == 0, said
    public = lab.hosts[FIRST].read("/root/.ssh/id_ed25519.pub")
    lab.hosts[SECOND].write("/root/.ssh/authorized_keys", public, 0o600)
    wait_for(
        lambda: lab.machine(SECOND).systemctl("is-active", "ssh", check=False) == "active",
        WORKS_S,
        "sshd",
    )
    lab.typed.clear()


def test_the_page_leads_to_a_working_pair(release, debs, root_of, capsys):
    with Fresh(root_of(release, debs[release].old)) as lab:
        prepare(lab, debs[release].old)
        began, operator = time.monotonic(), Operator(lab)
        operator.do("apt install ./havpn.deb")
        for name in NEAR:
            assert lab.machine(name).shown("ActiveState") == "inactive"
        operator.do("havpn keygen /etc/havpn/pair.key")
        operator.do("chown root:havpn /etc/havpn/pair.key")
        operator.write_files()
        operator.open_firewall()
        operator.do("echo net.ipv4.ip_forward=1 > /etc/sysctl.d/60-havpn.conf")
        operator.do("havpn check", good=(0, 1))
        for name in NEAR:
            status, said = operator.said[name, "havpn check"]
            assert status == 0, said
        lab.start_far_site()
        operator.do("systemctl enable --now havpn", good=(0, 1))
        lab.wait_owners(FIRST, FAR[0])
        for name in NEAR:
            lab.wait_said(name, "havpn status --check", "HAVPN OK - ")
            status, said = lab.type(name, "havpn doctor")
            assert status == 0, said
        took_s = time.monotonic() - began
        with capsys.disabled():
            print(f"\n--- Debian {release}: from the page alone to a working pair: {took_s:.0f} s")
            print(lab.transcript())
        first_pull(lab, operator)
        second_pull(lab, operator)


def first_pull(lab, operator):
    """What the page's table says of it."""
    # What a shell runs in the background ignores SIGINT, and so would this.
    live = ("env", "--default-signal=INT", "havpn", "status", "--watch")
    watch = lab.hosts[SECOND].popen(*live, stdout=subprocess.PIPE, text=True)
    try:
        with pings(lab.client, "10.31.0.10", 0.1) as found:
            lab.pull()
            lab.wait_owners(SECOND, FAR[1])
            shown = lab.wait_said(FIRST, "havpn status", "path vpn1 down", "role standby")
            assert "why path down" in shown or "carrier" in shown, shown
            lab.wait_said(SECOND, "havpn status", "role active", "this gateway has it")
    finally:
        watch.send_signal(signal.SIGINT)
        watched = watch.communicate(timeout=10)[0]
    assert "this gateway has it" in watched, watched
    print(f"the first pull: {found.lost} of {found.sent} pings lost")
    # The page says one or none; a crowded host takes some more.
    assert found.lost <= 20
    lab.plug()
    lab.wait_owners(FIRST, FAR[0])
    operator.do("havpn events")
    said = operator.said[FIRST, "havpn events"][1]
    assert "vpn1" in said and "standby" in said and "active" in said, said


def second_pull(lab, operator):
    """The line is held, and the command ends that."""
    lab.pull()
    lab.wait_owners(SECOND, FAR[1])
    lab.plug()
    lab.wait_said(FIRST, "havpn status", "held down by damping", timeout=WORKS_S)
    operator.do("havpn switch --to auto --clear")
    lab.wait_owners(FIRST, FAR[0])
