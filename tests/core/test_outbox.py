"""When a notifier gets which events, on a clock of numbers."""

from havpn_core import Event, Retry
from havpn_core.daemon.state.outbox import LONGEST_S, MOST, Outbox
from havpn_core.plugging.gate.building import seconds_of
from havpn_core.plugging.gate.coercion import as_retry


def event(number=0):
    return Event("path", "", "", str(number))


def taken(box):
    return [each.event.after for each in box.take()]


def test_without_a_failure_each_event_is_due_at_once_and_alone():
    box = Outbox()
    assert box.due_s(0.0) is None
    box.put(event(1), 0.0)
    box.put(event(2), 0.0)
    assert box.due_s(0.0) == 0
    assert taken(box) == ["1"]
    assert taken(box) == ["2"]
    assert taken(box) == []
    assert box.due_s(1.0) is None


def test_a_burst_is_gathered_from_its_first_event_on():
    box = Outbox(together=True, gather_s=10.0)
    box.put(event(1), 100.0)
    box.put(event(2), 107.0)
    assert box.due_s(107.0) == 3.0
    assert box.due_s(110.0) == 0
    assert taken(box) == ["1", "2"]
    box.put(event(3), 111.0)
    assert box.due_s(111.0) == 10.0


def test_who_takes_one_at_a_time_gathers_nothing():
    box = Outbox(together=False, gather_s=10.0)
    box.put(event(1), 0.0)
    assert box.due_s(0.0) == 0


def test_pauses_double_up_to_a_minute_and_end_with_a_success():
    box, now_s, pauses = Outbox(retry_s=1000.0), 0.0, []
    box.put(event(1), now_s)
    for _ in range(8):
        assert box.again(box.take(), now_s) == 0
        pauses.append(box.due_s(now_s))
        now_s += pauses[-1]
        assert box.due_s(now_s) == 0
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_S, LONGEST_S]
    box.take()
    box.settled()
    box.put(event(2), now_s)
    assert box.due_s(now_s) == 0


def test_a_new_event_is_a_reason_to_try_but_not_within_a_second():
    box = Outbox(retry_s=1000.0)
    box.put(event(1), 0.0)
    for now_s in (0.0, 1.0, 3.0, 7.0):
        box.again(box.take(), now_s)
    assert box.due_s(7.25) == 7.75
    box.put(event(2), 7.25)
    assert box.due_s(7.25) == 0.75
    assert taken(box) == ["1"]  # order is kept


def test_what_the_service_forbids_no_event_hastens():
    box = Outbox(retry_s=1000.0)
    box.put(event(1), 0.0)
    box.again(box.take(), 0.0, after_s=30.0)
    box.put(event(2), 5.0)
    assert box.due_s(5.0) == 25.0
    box.again(box.take(), 30.0, after_s=9999.0)
    assert box.due_s(30.0) == 300.0


def test_an_event_is_given_up_by_its_age_and_the_younger_stay():
    box = Outbox(together=True, retry_s=60.0)
    box.put(event(1), 0.0)
    box.put(event(2), 50.0)
    assert box.again(box.take(), 59.0) == 0
    assert box.again(box.take(), 60.0) == 1
    assert taken(box) == ["2"]


def test_without_a_time_to_retry_nothing_is_kept():
    box = Outbox()
    box.put(event(1), 0.0)
    assert box.again(box.take(), 0.0) == 1
    assert len(box) == 0
    box.put(event(2), 0.0)
    assert box.due_s(0.0) == 0


def test_the_oldest_gives_way_also_when_a_failed_batch_comes_back():
    box = Outbox(together=True, retry_s=60.0)
    for number in range(MOST + 2):
        box.put(event(number), 0.0)
    assert (len(box), box.dropped) == (MOST, 2)
    batch = box.take()
    box.put(event(1000), 1.0)
    box.put(event(1001), 1.0)
    assert box.again(batch, 1.0) == 0
    assert (len(box), box.dropped) == (MOST, 4)
    left = taken(box)
    assert (left[0], left[-1]) == ("4", "1001")


def test_what_a_plugin_gives_back_is_made_sound():
    assert as_retry(None) is None
    assert as_retry("anything") is None
    assert as_retry(Retry("full\nof lines", 10)) == Retry("full of lines", 10.0)
    for odd in (float("nan"), float("-inf"), -1, True, "soon", None):
        assert as_retry(Retry("x", odd)) == Retry("x", 0.0)
    assert as_retry(Retry("x", float("inf"))) == Retry("x", 3600.0)
    assert as_retry(Retry(None, 10**400)) == Retry("not delivered", 3600.0)


def test_a_time_that_a_type_gives_is_a_time():
    def broken(options):
        raise SystemExit

    assert seconds_of(lambda options: options["a"], {"a": 5}, 10.0) == 5.0
    assert seconds_of(lambda options: 50, None, 10.0) == 10.0
    assert seconds_of(lambda options: "5", None, 10.0) == 0.0
    assert seconds_of(broken, None, 10.0) == 0.0
