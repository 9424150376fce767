"""Whether the daemon may do what the plugins need, and finds the programs that they run."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from havpn_core.config.instances import Config, Instance
from havpn_core.config.lan import plan_of
from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.echo.gate import parse_endpoint
from havpn_core.errors import HavpnError
from havpn_core.host.capabilities import missing_capabilities
from havpn_core.host.disk.keys import read_keys
from havpn_core.host.disk.rights import SERVICE, service_may_read
from havpn_core.plugging.gate.building import lacks
from havpn_core.plugging.gate.worker import Worker
from havpn_core.serve import options as serving

GRANT = "run as root, or grant it (AmbientCapabilities= of the unit)"
FIRST_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


async def look(case: Case) -> list[Finding]:
    """Compare what is needed with what the daemon has, or this process where none runs."""
    who = f"the daemon (pid {case.pid})" if case.pid else "this process"
    wanted = capabilities(case.config)
    try:
        lacking = missing_capabilities({each for _, each in wanted}, case.pid or None)
    except OSError:
        return [Finding.failed("capabilities", f"{who} has just ended", "run havpn doctor again")]
    found = [
        Finding.failed(key, f"{who} has no {capability}", GRANT)
        for key, capability in wanted
        if capability in lacking
    ]
    if not found:
        names = ", ".join(sorted({each for _, each in wanted})) or "none"
        found.append(Finding.good("capabilities", f"{who} has what is needed ({names})"))
    absent = await _absent(case)
    case.lacking.update(key for key, _ in absent)
    found += [Finding.failed(key, *_with_remedy(text)) for key, text in absent]
    if not absent:
        found.append(Finding.good("programs and files", "all that the plugins name are there"))
    return found


def missing(config: Config) -> list[str]:
    """Say what the instances lack on this host, for ``havpn check``.

    :returns: sentences, each with the key that it is about.
    """
    wanted = _named(config)
    lacking = missing_capabilities({each for _, each in wanted})
    found = [
        f"{key}: needs {capability}: run as root or grant it"
        for key, capability in wanted
        if capability in lacking
    ]
    return found + [f"{key}: {text}" for key, text in programs_and_files(config)]


def unreadable(config: Config) -> list[str]:
    """Name the files of secrets that root reads, and the daemon of the packaged unit does not."""
    named = [(each.name, each.options) for each in _instances(config)]
    if config.pair is not None:
        named.insert(0, ("pair", config.pair.options))
    return [
        f"{name}.{key}: {file}: the user {SERVICE}, as which the packaged unit runs the daemon, "
        f"may not read it: run chown root:{SERVICE} and chmod 640 on it"
        for name, options in named
        for key in getattr(options, "__struct_fields__", ())
        if key.endswith("_file") and isinstance(file := getattr(options, key), str)
        if not service_may_read(Path(file))
    ]


def capabilities(config: Config) -> list[tuple[str, str]]:
    """Give each capability that is needed, with the key that needs it."""
    found, first = _named(config), _first_free_port()
    ports = [(f"{each.name}.port", getattr(each.options, "port", None)) for each in _links(config)]
    if config.respond is not None:
        ports += [("respond.listen", parse_endpoint(each)[1]) for each in config.respond.listen]
    if config.metrics is not None:
        ports += [("metrics.listen", serving.parse_endpoint(e)[1]) for e in config.metrics.listen]
    found += [
        (key, "CAP_NET_BIND_SERVICE")
        for key, port in dict.fromkeys(ports)
        if isinstance(port, int) and port < first
    ]
    return list(dict.fromkeys(found))


def _named(config: Config) -> list[tuple[str, str]]:
    """Give those that options and types name, without those that low ports need."""
    found = [("node", each) for each in sorted(config.node.needs)]
    if plan_of(config).probes:
        found.append(("lan.witnesses", "CAP_NET_RAW"))
    for instance in _instances(config):
        found += [(instance.name, each) for each in sorted(instance.type.needs)]
    return found


async def _absent(case: Case) -> list[tuple[str, str]]:
    """Look for programs and files, in a thread: what a plugin looks at may hang."""
    worker = Worker("doctor")
    try:
        with _path_of(case.pid):
            found: list[tuple[str, str]] = await worker.run(
                lambda: list(programs_and_files(case.config))
            )
    finally:
        worker.stop()
    return found


def programs_and_files(config: Config) -> Iterator[tuple[str, str]]:
    """Give what is not there, each with the key that needs it."""
    if config.pair is not None:
        try:
            read_keys(Path(config.pair.options.key_file))
        except HavpnError as problem:
            yield "pair.key_file", str(problem)
    for instance in _instances(config):
        for text in lacks(instance.type, instance.options):
            yield instance.name, text


def _instances(config: Config) -> list[Instance]:
    probes = [each for path in config.paths for each in (*path.probes, *path.road)]
    return [*config.actions, *config.notifiers, *probes, *_links(config)]


def _links(config: Config) -> tuple[Instance, ...]:
    return () if config.pair is None else config.pair.links


def _first_free_port() -> int:
    """Give the first port that everybody may have, ip(7)."""
    try:
        return int(FIRST_PORT.read_text())
    except (OSError, ValueError):
        return 1024


@contextlib.contextmanager
def _path_of(pid: int | None) -> Iterator[None]:
    """Look for programs where the daemon does, as far as its environment may be read."""
    before = os.environ.get("PATH", "")
    try:
        content = Path(f"/proc/{pid}/environ").read_bytes() if pid else b""
    except OSError:
        content = b""
    for entry in content.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name == b"PATH":
            os.environ["PATH"] = os.fsdecode(value)
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _with_remedy(text: str) -> tuple[str, str]:
    """Part a plugin's sentence from the remedy that it ends with, or say a general one."""
    problem, between, remedy = text.rpartition(": ")
    if between:
        return problem, remedy
    return text, "install it, or correct the path (the daemon's PATH is that of its unit)"
