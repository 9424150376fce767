"""Find gateways over ``ssh``: their files, what the daemon says, and what charon has loaded.

Nothing is changed there. Each gateway is named as in the site file, so what else belongs to it (an
address, a user, a key) is in ``~/.ssh/config``.
"""

import io
import json
import shlex
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.host.execute import environment
from havpn_core.site.drift.difference import GATEWAY, Found, FoundFile, Trouble, Wanted
from havpn_core.site.drift.running import START
from havpn_core.site.drift.whole import HAVPN, SWANCTL, Rendered
from havpn_core.site.live.copies import LARGEST, folders_of
from havpn_core.site.rendering.digest import mark_of

CONNECT_S, CALL_S = 5, 20
AT_ONCE = 8
OPTIONS = (
    "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}", "-o", "ServerAliveInterval=5",
    "-o", "ServerAliveCountMax=2",
)  # fmt: skip
FAILED = 255
"""Exit status of ssh itself; any other is that of the command."""
ABSENT = 127
HIDDEN, NO_ROOT = "havpn-hidden:", "havpn-user:"
# Words that are in every mark, whatever comment it is; the rest is judged here.
MARK = "Rendered by HA-VPN"
COPY = (
    "[ $(id -u) = 0 ] || echo {no_root}$(id -un) >&2; "
    "{{ for f in {files}; do [ -f \"$f\" ] && echo \"$f\"; done; "
    "for d in {folders}; do grep -lsF '{mark}' \"$d\"/*; done; }} | sort -u | "
    "while read -r f; do if [ -r \"$f\" ]; then echo \"$f\"; else echo \"{hidden}$f\" >&2; fi; done"
    " | tar -chPf - -T -"
)  # fmt: skip
REACH = "make ssh -o BatchMode=yes {} true work, such as by Host {} in ~/.ssh/config"


class Unreachable(Exception):
    """A gateway gives nothing; the text says why."""


def over_ssh(rendered: Rendered) -> dict[str, Found]:
    """Find each gateway of the site file; one that is not reached is a trouble of its own.

    :raises HavpnError: without ``ssh``.
    """
    folders = folders_of(rendered)

    def find(gateway: str) -> Found:
        try:
            return _gateway(gateway, rendered[gateway], folders)
        except Unreachable as problem:
            remedy = REACH.format(gateway, gateway)
            return Found(troubles=(Trouble(GATEWAY, str(problem), remedy),))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(rendered, pool.map(find, rendered), strict=True))


def _gateway(gateway: str, wanted: Sequence[Wanted], folders: Sequence[str]) -> Found:
    paths = [file.path for file in wanted]
    troubles: list[Trouble] = []
    unseen: list[str] = []
    files = _files(gateway, paths, folders, unseen)
    status = _status(gateway, troubles)
    connections = None
    if any(path.startswith(SWANCTL) for path in paths):
        connections = _connections(gateway, troubles, unseen)
    return Found(files, status, connections, tuple(troubles), tuple(unseen))


def _files(
    gateway: str, paths: Sequence[str], folders: Sequence[str], unseen: list[str]
) -> dict[str, FoundFile]:
    """Copy the rendered files, and all with the mark of HA-VPN."""
    words = COPY.format(
        files=" ".join(map(shlex.quote, paths)) or "/nothing",
        folders=" ".join(map(shlex.quote, folders)),
        mark=MARK,
        hidden=HIDDEN,
        no_root=NO_ROOT,
    )
    ended = _call(gateway, "sh", "-c", words)
    found: dict[str, FoundFile] = {}
    for line in ended.stderr.decode(errors="replace").splitlines():
        if line.startswith(HIDDEN):
            trouble = "its user there may not read it"
            found[line.removeprefix(HIDDEN)] = FoundFile(None, trouble=trouble)
        elif line.startswith(NO_ROOT):
            user = line.removeprefix(NO_ROOT)
            unseen.append(f"files that {user} there may not see count as missing: connect as root")
    try:
        with tarfile.open(fileobj=io.BytesIO(ended.stdout), mode="r:") as archive:
            for each in archive:
                file = archive.extractfile(each) if each.size <= LARGEST else None
                if each.isfile() and file is not None:
                    found[f"/{each.name.lstrip('/')}"] = FoundFile(file.read(), each.mode)
    except tarfile.TarError:
        raise Unreachable(f"tar there gave no archive{_said(ended)}") from None
    extra = found.keys() - {*paths}
    return {p: f for p, f in found.items() if p not in extra or _marked(f)}


def _status(gateway: str, troubles: list[Trouble]) -> Mapping[str, Any] | None:
    ended = _call(gateway, "havpn", "status", "--json", "-c", HAVPN)
    try:
        found = json.loads(ended.stdout) if ended.returncode == 0 else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    what = "there is no havpn" if ended.returncode == ABSENT else "havpn status shows nothing"
    troubles.append(Trouble("status", f"{what}{_said(ended)}", START))
    return None


def _connections(gateway: str, troubles: list[Trouble], unseen: list[str]) -> str | None:
    ended = _call(gateway, "swanctl", "--list-conns", "--raw")
    if ended.returncode == 0:
        return ended.stdout.decode(errors="replace")
    if ended.returncode == ABSENT:
        unseen.append("loaded tunnels: there is no swanctl")
    else:
        text = f"charon does not say what it has loaded{_said(ended)}"
        remedy = "run systemctl start strongswan there, and look at its log"
        troubles.append(Trouble("tunnels", text, remedy))
    return None


def _call(gateway: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command on a gateway.

    :raises Unreachable: if it is not reached, or takes too long.
    """
    argv = ["ssh", *OPTIONS, "--", gateway, shlex.join(words)]
    try:
        ended = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            timeout=CALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"no reply over ssh within {CALL_S} s") from None
    except OSError as problem:
        raise HavpnError(
            f"ssh cannot be started ({problem.strerror}): install openssh-client"
        ) from None
    if ended.returncode == FAILED:
        raise Unreachable(f"is not reached over ssh{_said(ended)}")
    return ended


def _said(ended: subprocess.CompletedProcess[bytes]) -> str:
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    last = "".join(c for c in lines[-1] if c.isprintable())[:200] if lines else ""
    return f" ({last})" if last else ""


def _marked(file: FoundFile) -> bool:
    return file.content is not None and mark_of(file.content.decode(errors="replace")) is not None
