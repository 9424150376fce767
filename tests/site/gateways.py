"""Four gateways in folders, as they are after the rendered tree was carried over and loaded."""

import json
import tomllib
from functools import cache

from havpn_core.config.digest import digest_of
from havpn_core.site.drift.settings import settings_of
from havpn_core.site.drift.whole import HAVPN
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.whole import render
from havpn_core.site.secrets import filled, names_in

SITE = """
[site.a]
networks = ["10.1.0.0/16", "2001:db8:1::/64"]
vips = ["10.1.255.254", "2001:db8:1::fe"]
serial = "/dev/ttyS0"
[site.a.gateways.gw-aa]
lan = ["10.1.255.252", "2001:db8:1::fc"]
[site.a.gateways.gw-ab]
lan = ["10.1.255.253", "2001:db8:1::fd"]
[site.b]
networks = ["10.31.0.0/20", "2001:db8:31::/64"]
vips = ["10.31.15.254", "2001:db8:31::fe"]
[site.b.gateways.gw-ba]
lan = ["10.31.15.252", "2001:db8:31::fc"]
[site.b.gateways.gw-bb]
lan = ["10.31.15.253", "2001:db8:31::fd"]
[line.line1]
ends = { gw-aa = "192.0.2.2", gw-ba = "192.0.2.6" }
[line.line2]
ends = { gw-ab = "198.51.100.2", gw-bb = "dynamic" }
[notifier.mail]
type = "webhook"
url = "https://example.com/hook/INLINE-SECRET"
[notifier.mail.headers]
X-Own = "INLINE-SECRET"
"""
SWANCTL = "/etc/swanctl/conf.d/havpn.conf"
PAIR_KEY = "/etc/havpn/pair.key"
CONNECTIONS = "/run/havpn/list-conns"


@cache
def rendered(text=SITE):
    return render(model_of(tomllib.loads(text)))


def secrets_for(files):
    """Give a secret for each name, that no other text has."""
    names = names_in(file.text for each in files.values() for file in each)
    return {name: f"SECRET-{number:03}-{'5e' * 20}" for number, name in enumerate(names)}


class Gateways:
    """The folders of all gateways.

    :param folder: gets one for each.
    """

    def __init__(self, folder, text=SITE):
        self.folder, self.files = folder, rendered(text)
        self.secrets = secrets_for(self.files)
        for gateway, files in self.files.items():
            for file in files:
                self.write(gateway, file.path, filled(file.text, self.secrets), file.mode)
            self.run(gateway)
            self.load(gateway)

    def place(self, gateway, path):
        return self.folder / gateway / path.lstrip("/")

    def write(self, gateway, path, text, mode=0o644):
        place = self.place(gateway, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def edit(self, gateway, path, before, after):
        text = self.place(gateway, path).read_text()
        assert before in text
        self.place(gateway, path).write_text(text.replace(before, after))

    def run(self, gateway, **changes):
        """Let the daemon have the file of now in force."""
        tables = tomllib.loads(self.place(gateway, HAVPN).read_text())
        config = {"file": HAVPN, "digest": digest_of(tables)}
        found = {"node": gateway, "state": "running", "config": config} | changes
        self.write(gateway, "/run/havpn/status.json", json.dumps(found))

    def load(self, gateway):
        """Let charon load the file of now."""
        self.write(gateway, CONNECTIONS, listed(self.place(gateway, SWANCTL).read_text()))


def listed(text):
    """Give what ``swanctl --list-conns --raw`` of strongSwan 5.9.8 prints of a file."""
    events = []
    for name, each in settings_of(text).at("connections").sections.items():
        sides = " ".join(
            f"{side}-1 {{class=pre-shared key id={each.at(side).values['id']} groups=[] certs=[] "
            "cacerts=[]}"
            for side in ("local", "remote")
        )
        children = " ".join(
            f"{child} {{mode=TUNNEL rekey_time=3600 rekey_bytes=0 rekey_packets=0 "
            f"local-ts=[{' '.join(of.listed('local_ts'))}] "
            f"remote-ts=[{' '.join(of.listed('remote_ts'))}]}}"
            for child, of in each.at("children").sections.items()
        )
        events.append(
            f"list-conn event {{{name} {{local_addrs=[{' '.join(each.listed('local_addrs'))}] "
            f"remote_addrs=[{' '.join(each.listed('remote_addrs'))}] version=IKEv2 reauth_time=0 "
            f"rekey_time=14400 unique=UNIQUE_NO {sides} children {{{children}}}}}}}\n"
        )
    return "".join(events) + "list-conns reply {}\n"
