"""Which line each ping used, and what the tap in a provider takes for a ping."""

import struct

import pytest

from benchmarks.compare.tap import ping
from benchmarks.compare.used import Used, used

ONE, TWO = "provider-1", "provider-2"


def test_moves_are_counted_way_by_way_in_the_order_of_the_pings():
    requests = {1: ONE, 2: ONE, 4: TWO, 3: TWO, 5: ONE}
    assert Used(requests, {1: ONE, 9: ONE}).moves() == (2, 0)
    assert Used({}, {}).moves() == (0, 0)


def test_only_pings_that_were_seen_both_ways_say_whether_the_ways_differ():
    found = Used({1: ONE, 2: ONE, 3: TWO}, {1: ONE, 2: TWO, 4: TWO})
    assert found.apart() == (1, 2)
    assert Used({1: ONE}, {2: TWO}).apart() == (0, 0)


def test_what_was_seen_outside_the_time_counts_for_nothing():
    requests = [(1, 9.9, TWO), (2, 10.0, ONE), (3, 11.0, ONE)]
    replies = [(1, 10.0, ONE), (2, 10.5, ONE), (3, 11.2, TWO)]
    assert used(requests, replies, 10.0, 11.0) == Used({2: ONE}, {1: ONE, 2: ONE})


def packet(*, sender=40000, receiver=7105, number=77, protocol=17, options=0):
    header = bytes([0x45 + options]) + bytes(8) + bytes([protocol]) + bytes(10 + 4 * options)
    return header + struct.pack(">HHHH", sender, receiver, 24, 0) + struct.pack("<QQ", number, 1)


@pytest.mark.parametrize("options", [0, 2])
def test_a_ping_is_known_by_the_servers_port(options):
    assert ping(packet(options=options), 0) == (77, 7105)
    assert ping(packet(sender=7105, receiver=40000, options=options), 1) == (77, 7105)


@pytest.mark.parametrize(
    ("other", "way"),
    [
        (packet(protocol=6), 0),
        (packet(receiver=3784), 0),
        (packet(), 1),
        (packet()[:35], 0),
    ],
)
def test_any_other_packet_is_none(other, way):
    assert ping(other, way) is None
