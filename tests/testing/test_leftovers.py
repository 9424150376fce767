"""Ending hosts: what is gone, and whose number another has by now, is left in peace."""

import os
import subprocess
import threading

from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.leftovers import Life


def test_a_number_that_a_thread_has_by_now_is_a_process_that_is_gone():
    numbers, over = [], threading.Event()
    known = threading.Event()

    def live():
        numbers.append(threading.get_native_id())
        known.set()
        over.wait(10)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert known.wait(10)
        assert numbers[0] != os.getpid()
        assert not leftovers.end(Life(numbers[0], 1, leftovers.this_space()))
    finally:
        over.set()
        thread.join()


def test_a_process_that_was_waited_for_is_gone():
    process = subprocess.Popen(["sleep", "30"])
    life = leftovers.life_of(process.pid)
    assert life is not None
    assert leftovers.end(life)
    process.wait()
    assert not leftovers.end(life)
