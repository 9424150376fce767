"""Turn what Pacemaker gives its alert agents into events.

Pacemaker runs an alert agent for each event, with ``CRM_alert_…`` in its environment (Pacemaker
Explained, "Alerts").
"""

from collections.abc import Mapping

from havpn_core.plugging.descriptors import Event

KIND = "cluster"
_LOST = {"lost", "inactive"}


def event_of(environment: Mapping[str, str]) -> Event | None:
    """Read an alert; ``None`` for one that is no news.

    Successful monitors are such. A kind that a later version of Pacemaker adds is passed on as it
    is.

    :raises KeyError: if this is no alert: ``CRM_alert_kind`` is not there.
    """
    kind = environment["CRM_alert_kind"]
    node = environment.get("CRM_alert_node", "")
    detail = environment.get("CRM_alert_desc", "")
    match kind:
        case "node":
            bad = any(word in detail for word in _LOST)
            return _event(node, detail or "changed", "", severity="warning" if bad else "info")
        case "fencing":
            bad = environment.get("CRM_alert_rc", "0") != "0"
            after = "fencing failed" if bad else "fenced"
            return _event(node, after, detail, severity="error" if bad else "warning")
        case "resource":
            return _resource(environment, node, detail)
        case "attribute":
            name = environment.get("CRM_alert_attribute_name", "")
            value = environment.get("CRM_alert_attribute_value") or "not set"
            return _event(node, f"{name}={value}", "")
        case _:
            return _event(node, kind, detail)


def _resource(environment: Mapping[str, str], node: str, detail: str) -> Event | None:
    task = environment.get("CRM_alert_task", "")
    rc, expected = (environment.get(f"CRM_alert_{n}", "0") for n in ("rc", "target_rc"))
    failed = rc != expected
    if task == "monitor" and not failed:
        return None
    what = f"{environment.get('CRM_alert_rsc', '')} {task}".strip()
    after = f"{what} failed" if failed else what
    return _event(node, after, detail, severity="error" if failed else "info")


def _event(node: str, after: str, detail: str, severity: str = "info") -> Event:
    return Event(KIND, node, "", after, detail, severity, node)
