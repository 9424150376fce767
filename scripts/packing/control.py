"""What a package says of itself."""

from dataclasses import dataclass

PYTHONS = {"12": "3.11", "13": "3.13"}
"""Python of each release of Debian."""
RELEASES = list(PYTHONS)

_COMMON = [
    "init-system-helpers",
    "python3-click (>= 8.1)",
    "python3-psutil (>= 5.9)",
    "python3-rich (>= 13)",
    "python3-serial (>= 3.5)",
    "systemd | systemd-standalone-sysusers | systemd-sysusers",
]
_DEPENDS = {
    # msgspec, which comes inside, is compiled for one release of Python.
    "12": ["libc6 (>= 2.17)", "python3 (>= 3.11~)", "python3 (<< 3.12)"],
    "13": ["python3 (>= 3.11~)", "python3-msgspec (>= 0.18)", "python3-pluggy (>= 1.3)"],
}
_CONTROL = """\
Package: havpn
Version: {version}
Architecture: {architecture}
Maintainer: HA-VPN maintainers <maintainers@havpn.invalid>
Installed-Size: {size_kib}
Depends: {depends}
Recommends: iproute2, python3-prometheus-client
Suggests: conntrackd, python3-matplotlib, strongswan-swanctl
Section: net
Priority: optional
Description: failover between pairs of IPsec gateways
 HA-VPN runs on the two gateways of a site, each with an IPsec tunnel of its own
 to the other site. It probes line and tunnel, and moves the address that the
 hosts of the LAN use as their router to the gateway whose road works.
 .
 It starts nothing by itself: see /usr/share/doc/havpn/README.md.
"""


@dataclass(frozen=True)
class Package:
    """One package.

    :param upstream: version of HA-VPN.
    :param revision: of the package; a higher one replaces a lower one.
    :param release: of Debian.
    :param machine: Debian's name of the machine it is built for.
    """

    upstream: str
    revision: str
    release: str
    machine: str

    @property
    def version(self) -> str:
        """The version as Debian has it; that of a later release of Debian is higher."""
        return f"{self.upstream}-{self.revision}~deb{self.release}"

    @property
    def architecture(self) -> str:
        """Debian's name of the machines that it runs on."""
        return self.machine if self.release == "12" else "all"

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"havpn_{self.version}_{self.architecture}.deb"

    def control(self, size_kib: int) -> str:
        """Give the text of the file control.

        :param size_kib: what its files take.
        """
        return _CONTROL.format(
            version=self.version,
            architecture=self.architecture,
            size_kib=size_kib,
            depends=", ".join(sorted([*_COMMON, *_DEPENDS[self.release]])),
        )
