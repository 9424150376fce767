"""Files as crashes, full disks and people leave them."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

#: A host that is busy may be slow to draw and to judge; that is no finding.
fuzz = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

SPITE = [
    b"\xff",
    b"\x00",
    b'"',
    b"}",
    b"NaN",
    b"-1",
    b"1e999",
    b"\\ud800",
    b"null",
    b"[",
    b"\n",
    b"9" * 5000,
]


@st.composite
def damaged(draw, good):
    """Give a good file with a few bytes cut out, written over or put in."""
    content = good
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        cut = draw(st.integers(0, 8))
        new = draw(st.one_of(st.sampled_from(SPITE), st.binary(max_size=4)))
        content = content[:at] + new + content[at + cut :]
    return content if draw(st.booleans()) else content[: draw(st.integers(0, len(content)))]
