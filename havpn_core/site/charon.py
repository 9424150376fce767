"""Have strongSwan itself load a file, without a trace on the host.

``swanctl`` has no dry run: what it loads is in force. So it loads into a charon of its own, whose
network, ``/run`` and processes end with it. Configuration and plugins are those of this host, but
ESP may be in user space, where the kernel has none.
"""

import re
from collections.abc import Iterable
from pathlib import Path

PLACES = tuple(
    f"/usr/{folder}/charon"
    for folder in ("lib/ipsec", "libexec/ipsec", "lib/strongswan", "libexec/strongswan")
)
"""Where distributions have the daemon, which is not on the PATH."""
NOT_READY = "no charon starts here to load it"
READY = "charon is ready"
"""What is printed before the file is loaded: without it nothing is known of the file."""
PLUGINS = ("/etc/strongswan.d/charon", "/etc/strongswan/strongswan.d/charon")
"""Where distributions say which plugins it loads."""
CONF = """\
charon {
  load_modular = yes
  plugins {
%s    kernel-libipsec {
      load = yes
    }
  }
}
"""
# The files take the places of the host's own: a profile of AppArmor lets both read no others.
LOAD = rf"""
mount --make-rprivate / || exit
mount --bind "$2" /etc/strongswan.conf || exit
mount --bind "$3" /etc/swanctl/swanctl.conf || exit
mount -t tmpfs -o mode=755 tmpfs /run || exit
ip link set lo up
"$1" >/run/charon.log 2>&1 &
n=0
until swanctl --stats >/dev/null 2>&1; do
    n=$((n + 1))
    [ $n -le 50 ] && kill -0 $! 2>/dev/null || exit 1
    sleep 0.1
done
echo '{READY}' >&2
exec swanctl --load-conns
"""
_STARTS = re.compile(r"^(\s*start_action = )(?:trap|start)$", re.MULTILINE)
_CERTIFICATES = re.compile(r"^\s*(?:ca)?certs = .*\n", re.MULTILINE)


def find(places: Iterable[str] = PLACES) -> str | None:
    """Give the path of the daemon; ``None`` if it is not on this host."""
    return next((each for each in places if Path(each).exists()), None)


def settings(places: Iterable[str] = PLUGINS) -> str:
    """Give its own settings: the plugins of this host, and ESP in user space."""
    there = [each for each in places if any(Path(each).glob("*.conf"))]
    return CONF % "".join(f"    include {each}/*.conf\n" for each in there)


def harmless(text: str) -> tuple[str, bool]:
    """Give a file that starts nothing and needs no file of the gateway; and whether it did."""
    bare, times = _CERTIFICATES.subn("", text)
    return _STARTS.sub(r"\1none", bare), times > 0


def command(charon: str, conf: Path, file: Path) -> list[str]:
    """Give the command that loads a file; it prints why not, and needs root.

    :param conf: a file with :func:`settings`.
    :param file: what :func:`harmless` made.
    """
    apart = ("--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")
    return ["unshare", *apart, "sh", "-c", LOAD, "load", charon, str(conf), str(file)]
