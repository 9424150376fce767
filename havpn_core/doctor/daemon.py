"""Whether a daemon is at work, and what it reports of itself."""

from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.version import __version__


async def look(case: Case) -> list[Finding]:
    """See whether it runs, works, and is of this release."""
    subject = "daemon"
    if case.pid is None:
        return [Finding.good(subject, f"none runs with run_dir {case.run_dir}")]
    who = f"pid {case.pid}" if case.pid else "a process"
    if case.status is None:
        age = "no status" if case.age_s is None else f"a status {case.age_s:.0f} s old"
        remedy = "see its log (journalctl -u havpn), and restart it"
        return [Finding.failed(subject, f"{who} has {case.run_dir} and {age}", remedy)]
    found = [Finding.good(subject, f"{case.status.state} as {who}")]
    if case.status.version and case.status.version != __version__:
        text = f"it runs release {case.status.version}, and {__version__} is installed"
        found.append(Finding.warning(subject, text, "restart it to run the installed release"))
    if case.status.state == "paused":
        text = "it is paused: it keeps its role whatever happens"
        found.append(Finding.warning(subject, text, "end that with havpn resume"))
    return found + [
        Finding.warning(f"notifier.{name}", each.error, "correct what it needs; see havpn events")
        for name, each in case.status.notifiers.items()
        if each.error
    ]
