"""Where Linux-HA heartbeat keeps its programs and its configuration, and what is amiss there."""

import shutil
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

import msgspec

# Debian moved the daemon to libexec in 3.0.6-13; others never did.
DAEMON = (
    "/usr/libexec/heartbeat/heartbeat",
    "/usr/lib/heartbeat/heartbeat",
    "/usr/lib64/heartbeat/heartbeat",
)
TOOLS = ("/usr/share/heartbeat", "/usr/lib/heartbeat", "/usr/libexec/heartbeat")
MANY_FILES = 65536
"""A limit of open files from which heartbeat's start, 1 us a descriptor, begins to be felt."""


class HeartbeatOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``heartbeat``."""

    mode: Annotated[
        Literal["stop-start", "standby-takeover"],
        msgspec.Meta(
            description="stop-start: standby is a stopped heartbeat; standby-takeover: heartbeat "
            "keeps running and hb_standby and hb_takeover move the resources"
        ),
    ] = "stop-start"
    control: Annotated[
        Literal["auto", "init", "systemd"],
        msgspec.Meta(description="what starts and stops heartbeat; auto: systemd where it runs"),
    ] = "auto"
    init_script: Annotated[str, msgspec.Meta(description="heartbeat's init script")] = (
        "/etc/init.d/heartbeat"
    )
    daemon: Annotated[
        str | None, msgspec.Meta(description="heartbeat's own program; default: looked for")
    ] = None
    cl_status: Annotated[str, msgspec.Meta(description="heartbeat's cl_status")] = "cl_status"
    tools: Annotated[
        str | None,
        msgspec.Meta(description="folder of hb_standby and hb_takeover; default: looked for"),
    ] = None
    config_dir: Annotated[str, msgspec.Meta(description="folder of ha.cf")] = "/etc/ha.d"
    fifo: Annotated[str, msgspec.Meta(description="heartbeat's command FIFO")] = (
        "/var/lib/heartbeat/fifo"
    )


def daemon_program(options: HeartbeatOptions) -> str:
    """Give the daemon's program; where none is found, the first place that was looked at."""
    return options.daemon or _first(DAEMON, "")


def tool(options: HeartbeatOptions, name: str) -> str:
    """Give the path of ``hb_standby`` or ``hb_takeover``."""
    return f"{options.tools or _first(TOOLS, name)}/{name}"


def uses_systemd(options: HeartbeatOptions) -> bool:
    """Say whether systemd starts and stops heartbeat here (sd_booted(3) tests the same folder)."""
    if options.control == "auto":
        return Path("/run/systemd/system").is_dir()
    return options.control == "systemd"


def read_directives(file: Path) -> dict[str, str]:
    """Read ha.cf: a directive a line, its value behind white space, ``#`` begins a comment.

    A file that cannot be read has no directives. Of a repeated one the last counts.
    """
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    words = (line.partition("#")[0].split(None, 1) for line in lines)
    return {word[0].lower(): word[1].strip() for word in words if len(word) == 2}


def auto_failback(options: HeartbeatOptions) -> str:
    """Give ``on``, ``off`` or, as heartbeat does by default, ``legacy``."""
    value = read_directives(Path(options.config_dir) / "ha.cf").get("auto_failback", "legacy")
    if value.lower() in ("on", "yes", "true", "y", "1"):
        return "on"
    return "legacy" if value.lower() == "legacy" else "off"


def preferred_nodes(options: HeartbeatOptions) -> list[str]:
    """Give the nodes that haresources prefers, in its order and in lower case.

    A file that cannot be read prefers nobody.
    """
    return list(dict.fromkeys(words[0].lower() for words in _resources(options)))


def shared_addresses(options: HeartbeatOptions) -> frozenset[str]:
    """Give the addresses that haresources has heartbeat move, as it writes them.

    They are parameters of a resource, ``IPaddr2::192.0.2.1/24/eth0``, or stand alone.
    """
    parts = (
        part.partition("/")[0]
        for words in _resources(options)
        for word in words[1:]
        for part in word.split("::")
    )
    return frozenset(part for part in parts if _is_address(part))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _resources(options: HeartbeatOptions) -> list[list[str]]:
    """Read the lines of haresources: a node and its resources.

    One that ends with ``\\`` goes on in the next. A file that cannot be read has none.
    """
    try:
        text = (Path(options.config_dir) / "haresources").read_text("utf-8", "replace")
    except OSError:
        return []
    lines = text.replace("\\\n", " ").splitlines()
    words = (line.partition("#")[0].split() for line in lines)
    return [word for word in words if word]


def missing(options: HeartbeatOptions) -> list[str]:
    """Say what heartbeat lacks on this host."""
    return [*_missing_files(options), *_missing_programs(options), *_unfit_limit(options)]


def _missing_files(options: HeartbeatOptions) -> list[str]:
    folder = Path(options.config_dir)
    config, keys = folder / "ha.cf", folder / "authkeys"
    problems = [
        f"{file} is not there: configure heartbeat"
        for file in (config, folder / "haresources", keys)
        if not file.exists()
    ]
    if keys.exists() and keys.stat().st_mode & 0o077:
        problems.append(f"{keys} must have mode 600, or heartbeat refuses to start")
    if not config.exists():
        return problems
    directives = read_directives(config)
    crm = directives.get("pacemaker", directives.get("crm", "no")).lower()
    if crm not in ("no", "off", "false", "n", "0"):
        problems.append(f"{config} leaves the resources to Pacemaker: use an action for Pacemaker")
    if options.mode == "standby-takeover" and auto_failback(options) == "legacy":
        problems.append(
            f"{config}: auto_failback legacy (the default) makes heartbeat ignore hb_standby: "
            "write auto_failback on"
        )
    return problems


def _missing_programs(options: HeartbeatOptions) -> list[str]:
    programs = [daemon_program(options), options.cl_status]
    programs.append("systemctl" if uses_systemd(options) else options.init_script)
    if options.mode == "standby-takeover":
        programs += [tool(options, "hb_standby"), tool(options, "hb_takeover")]
    return [
        f"{program} is not there or not executable: install the package heartbeat"
        for program in programs
        if not shutil.which(program)
    ]


def _unfit_limit(options: HeartbeatOptions) -> list[str]:
    """Look at the limit that heartbeat has at boot; what this action runs gets a low one."""
    if uses_systemd(options):
        return []  # a unit's limit is not that of pid 1
    try:
        limits = Path("/proc/1/limits").read_text(encoding="ascii")
    except OSError:
        return []
    words = next((line.split() for line in limits.splitlines() if "open files" in line), [])
    soft = words[3] if len(words) > 3 else "0"
    if soft != "unlimited" and int(soft) <= MANY_FILES:
        return []
    return [
        f"heartbeat closes each of {soft} possible files when the system starts it: write "
        '"ulimit -n 1024" in /etc/default/heartbeat'
    ]


def _first(folders: Sequence[str], name: str) -> str:
    return next((folder for folder in folders if (Path(folder) / name).exists()), folders[0])
