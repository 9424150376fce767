"""Have an instance diagnose itself (``Diagnosing``).

As in :mod:`~havpn_core.plugging.gate.calls`, what comes back is of known type and size.
"""

from itertools import islice
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.plugging.diagnosis import Diagnosis, Level
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.wording import shown, words

MOST = 50
"""Diagnoses of one instance that are shown."""
REPORT = "report that to the author of the plugin"

_level_of = vars(Diagnosis)["level"].__get__
_text_of = vars(Diagnosis)["text"].__get__
_remedy_of = vars(Diagnosis)["remedy"].__get__


async def diagnose(
    caller: Caller, timeout_s: float, *, running: bool, deadline_s: float
) -> list[Diagnosis]:
    """Give what an instance finds; a call that fails is a finding itself."""
    try:
        found = await caller.call("diagnose", timeout_s, running, deadline_s=deadline_s)
    except HavpnError as problem:
        return [Diagnosis.failed(f"diagnose: {problem}", REPORT)]
    return as_diagnoses(found)


def as_diagnoses(value: Any) -> list[Diagnosis]:
    """Take the result of ``diagnose``; what is no diagnosis is one that says so."""
    for base in (list, tuple):
        if issubclass(type(value), base):
            return [_as_diagnosis(each) for each in islice(base.__iter__(value), MOST)]
    if value is None:
        return []
    return [Diagnosis.failed(f"diagnose gave {shown(value)}, which is no list", REPORT)]


def _as_diagnosis(value: Any) -> Diagnosis:
    if not issubclass(type(value), Diagnosis):
        return Diagnosis.failed(f"diagnose gave {shown(value)}, which is no Diagnosis", REPORT)
    try:
        level, text, remedy = _level_of(value), words(_text_of(value)), words(_remedy_of(value))
    except AttributeError:
        return Diagnosis.failed("diagnose gave a Diagnosis without its fields", REPORT)
    known = next((each for each in Level if type(level) is Level and each is level), None)
    if known is None:
        return Diagnosis.failed(f"{text} (of the level {shown(level)}, which is none)", REPORT)
    return Diagnosis(known, text or "diagnose gave no text", remedy)
