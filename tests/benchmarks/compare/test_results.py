"""Results of the comparison are kept as they are, and other files are refused."""

import pytest

from benchmarks.compare.results import Cost, Lossy, Measured, Results, Run, dump, load

RUN = Run(0.12, None, 0.03, True)
RESULTS = Results(
    {"Kernel": "6.1"},
    {
        "one": {
            "cut": Measured(2, "2026-11-27", 12.5, 1.0, runs=(RUN, Run(None, 0.0, 0.0, False))),
            "loss": Measured(60, "2026-11-27", 80.0, 1.5, lossy=Lossy(60.0, 6000, 30, (3, 0), 0.5)),
            "idle": Measured(30, "2026-11-28", 35.0, 0.1, cost=Cost(30.0, 0.021, 1 << 20, 40)),
        },
        "two": {},
    },
)


def test_results_are_kept_as_they_are():
    assert load(dump(RESULTS)) == RESULTS


def test_a_finished_cell_takes_the_place_of_an_earlier_one():
    results = load(dump(RESULTS))
    later = Measured(10, "2026-11-29", 60.0, 2.0, runs=(RUN,) * 10)
    results.keep("one", "cut", later)
    results.keep("three", "cut", later)
    assert results.cells["one"]["cut"] == later
    assert results.amounts("one") == {"cut": 10, "loss": 60, "idle": 30}
    assert results.amounts("three") == {"cut": 10}
    assert results.amounts("nobody") == {}


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"machine": {}}',
        '{"machine": {}, "cells": {"one": {"cut": {"amount": 1}}}}',
        '{"machine": {}, "cells": {"one": {"cut": {"amount": 1, "on": "", "took_s": 1, "x": 1}}}}',
        '{"machine": {}, "cells": []}',
    ],
)
def test_other_files_are_refused(text):
    with pytest.raises(ValueError):
        load(text)
