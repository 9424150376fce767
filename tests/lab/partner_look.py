"""One look at the partner by a bundled action: prints whether it serves, and the turn.

Run inside a host of the lab: ``python partner_look.py heartbeat mode=stop-start``.
"""

import asyncio
import json
import sys
from importlib import import_module

import msgspec

from havpn_core.testing import context, plugin_type


async def look(name, **options):
    kind = plugin_type(import_module(f"havpn_plugins.actions.{name}"), "action", name)
    action = kind.build(msgspec.convert(options, kind.config), context("action.look"))
    serves = await action.partner_serves(5.0)
    return serves, action.turn()


if __name__ == "__main__":
    given = dict(word.split("=", 1) for word in sys.argv[2:])
    print(json.dumps(asyncio.run(look(sys.argv[1], **given))))


def look_from(host, name, **options):
    """Have a host of the lab look; gives whether another serves, and the host's turn."""
    words = [f"{key}={value}" for key, value in options.items()]
    done = host.run(sys.executable, __file__, name, *words, timeout=30)
    return tuple(json.loads(done.stdout))
