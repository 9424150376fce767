"""What is taken for a request, and what is refused with a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.serve.request import BadRequest, Request, parse


def test_a_request_of_a_browser_is_read():
    head = b"GET /history?limit=7&x=%41 HTTP/1.1\r\nHost: gw\r\nAccept:  text/plain \r\n"
    assert parse(head) == Request(
        "GET", "/history", {"limit": "7", "x": "A"}, {"host": "gw", "accept": "text/plain"}
    )
    assert parse(head).limit == 7
    assert parse(b"HEAD / HTTP/1.0\r\n").limit == 100


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"", 400),
        (b"GET\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\n", 400),
        (b"GET / HTTP/2\r\n", 400),
        (b"GET /a b HTTP/1.1\r\n", 400),
        (b"POST / HTTP/1.1\r\n", 405),
        (b"GET / HTTP/1.1\r\nno field\r\n", 400),
        (b"GET / HTTP/1.1\r\nA : b\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x00\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 3\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused(head, status):
    with pytest.raises(BadRequest) as refused:
        parse(head)
    assert refused.value.status == status


@pytest.mark.parametrize("text", ["0", "1001", "-1", "x", "", "1e2", "٣"])
def test_a_limit_is_a_number_within_bounds(text):
    with pytest.raises(BadRequest, match="limit: write a number from 1 to 1000"):
        _ = Request("GET", "/history", {"limit": text}).limit


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(head):
    try:
        found = parse(head)
    except BadRequest as problem:
        assert str(problem)
    else:
        assert found.path.startswith("/")
