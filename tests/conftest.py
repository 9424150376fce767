import os
import warnings
from fnmatch import fnmatchcase

import pytest
from hypothesis import settings

from havpn_core.pair.run import CHECKED

# What a host takes for an example says nothing of the code.
settings.register_profile("timeless", deadline=None)
settings.load_profile("timeless")

# Every daemon that a test starts checks its own state after each step, and ends if it is broken.
os.environ.setdefault(CHECKED, "1")


# Further seeds, further explorations, and the same at one more place: marked `more`, because
# `make test` has 15 minutes. The first of each kind is not here. In fnmatch [[] is a bracket.
MORE = [
    f"tests/core/{each}"
    for each in (
        "test_pair_world.py::test_a_hundred_misfortunes_of_all_kinds[[][4-9]]",
        "test_pair_world.py::test_a_hundred_misfortunes_of_all_kinds[[]1?]",
        "test_road_world.py::test_a_hundred_misfortunes_with_roads[[][4-9]]",
        "test_road_world.py::test_a_hundred_misfortunes_with_roads[[]1?]",
        "test_road_world.py::test_roads_that_come_and_go_at_random_*[[][1-5]]",
        "test_road_world.py::test_whatever_befalls_*[[]restarts*]",
        "test_road_world.py::test_whatever_befalls_*[[]road dead]",
        "test_road_world.py::test_whatever_befalls_*[[]all else, dead]",
        "test_lone_road_world.py::test_roads_that_come_and_go_at_random_*[[][12]-*]",
        "test_lone_road_world.py::test_a_road_that_works_for_whoever_*-the other]",
        "test_fit_world.py::test_whatever_befalls_*[[]fit, frames lost]",
        "test_fit_world.py::test_whatever_befalls_*[[]all]",
        "test_site_world.py::test_every_other_fault_beside_it_*-slow]",
        "test_site_world.py::test_a_hundred_faults_*[[][1-3]-*]",
        "test_montecarlo.py::test_the_switches_of_k_of_n_*[[]one by one-3-*]",
        "test_montecarlo.py::test_the_switches_of_k_of_n_*[[]in gaps-2-*]",
        "test_calm_rules.py::test_loss_by_chance_moves_nothing[[]0.05-*]",
        "test_calm_rules.py::test_loss_by_chance_moves_nothing[[]0.1-*]",
        "test_pair_world.py::test_whatever_befalls_*[[]lossy]",
        "test_pair_world.py::test_whatever_befalls_*[[]links cut]",
        "test_pair_world.py::test_whatever_befalls_*[[]slow a]",
        "test_files_daemon.py::test_a_force_ends_after_its_time_*[[]-7200]",
        "test_files_daemon.py::test_a_full_disk_at_the_start_*[[]False]",
        "test_refused_daemon.py::test_starts_and_crashes_*[[]ba]",
    )
]
MORE += [
    f"tests/lab/{each}"
    for each in (
        "test_both_ends_agree.py::test_one_gateway_taken_out_*[[]heartbeat-gw-ba-invalid drop]",
        "test_both_ends_agree.py::test_sites_on_different_lines_*[[]heartbeat]",
        "test_demo.py::test_a_cluster_of_ones_own_is_rehearsed_by_itself*",
        "test_pacemaker.py::test_both_unfit_one_router_stays[[]names1-2]",
        "test_scenarios.py::test_kill_9_*[[]recovering]",
        "test_scenarios.py::test_kill_9_*[[]stopping]",
        "test_withdrawing.py::test_both_unfit_one_router_stays[[]names1-2]",
    )
]
MORE += [
    "tests/plugins/probes/test_icmp.py::TestOnAWire::*fe80*",
    "tests/plugins/actions/test_alias_pair.py::test_either_port_may_flap_*[[]1.5]",
    "tests/plugins/actions/test_alias_scarcity.py::test_a_round_that_fails_*[[]off]",
]
MORE += [
    f"tests/packages/{each}"
    for each in (
        "test_second_actions.py::test_a_stop_that_releases_*[[]hangs-in-thread]",
        "test_second_actions.py::test_a_stop_that_releases_*[[]command-ignores-sigterm]",
        "test_second_actions.py::test_a_pair_hands_the_address_over_*[[]lies]",
        "test_second_actions.py::test_a_pair_hands_the_address_over_*[[]flips]",
        "test_plain_probe.py::test_a_plain_probe_keeps_*[[]patient]",
    )
]
# The quick start runs on both Debians, the rest (and no cluster manager) on the newer one.
MORE += [
    "tests/systemd/test_clusters.py::*",
    "tests/systemd/test_debian.py::*[[]12*]",
    "tests/systemd/test_debian.py::test_an_upgrade_from_*",
    "tests/systemd/test_drop_ins.py::*[[]12]",
    "tests/systemd/test_removal.py::*[[]12]",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what `make test-more` runs.

    Only an unprivileged run may leave the lab out, and it says so loudly.
    """
    for item in items:
        if any(fnmatchcase(item.nodeid, pattern) for pattern in MORE):
            item.add_marker("more")
    if os.geteuid() == 0:
        return
    left_out = [item for item in items if item.get_closest_marker("lab")]
    for item in left_out:
        item.add_marker(pytest.mark.skip(reason="needs root: THE LAB WAS NOT RUN"))
    if left_out:
        warnings.warn(f"NOT ROOT: {len(left_out)} lab tests were left out", stacklevel=1)
