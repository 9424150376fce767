"""The contract of a probe. ``wg`` is a script here: not every kernel has WireGuard."""

import time

import havpn_wireguard
import pytest

from havpn_core.testing import check_probe_type, plugin_type

KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="


@pytest.fixture
def wg(tmp_path):
    script = tmp_path / "wg"
    now = int(time.time())
    script.write_text(
        f"""#!/bin/sh
case $2 in
    wg0) printf '%s\\t%s\\n' other= 0 {KEY} {now} ;;
    old) printf '%s\\t%s\\n' {KEY} {now - 181} ;;
    new) printf '%s\\t%s\\n' {KEY} 0 ;;
    *) echo "Unable to access interface: No such device" >&2; exit 1 ;;
esac
"""
    )
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize("dead", ["old", "new", "gone"])
def test_contract(wg, dead):
    check_probe_type(
        plugin_type(havpn_wireguard, "probe", "wireguard"),
        reachable={"interface": "wg0", "peer": KEY, "command": wg},
        unreachable={"interface": dead, "peer": KEY, "command": wg},
        hostile=[
            {"interface": "an-interface-too-long", "peer": KEY},
            {"interface": "wg0", "peer": "short"},
            {"interface": "wg0", "peer": KEY, "max_age": "long"},
        ],
    )
