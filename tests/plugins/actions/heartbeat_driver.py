"""Takes an action ``heartbeat`` through steps and prints a JSON line for each.

Usage: ``heartbeat_driver.py OPTIONS STEP...`` with OPTIONS in JSON and steps such as ``observe``,
``sleep:2``, ``standby:30`` and ``active:30`` (the number is the deadline in seconds).
"""

import asyncio
import json
import logging
import sys
import time

import msgspec
from havpn_plugins.actions.heartbeat import HeartbeatOptions, build

from havpn_core import ActionError, Context, Role


async def step(action, words):
    if words[0] == "observe":
        role = await action.observe()
        return role.value if role else None
    if words[0] == "sleep":
        return await asyncio.sleep(float(words[1]))
    try:
        await action.apply(Role(words[0]), float(words[1]))
    except ActionError as problem:
        return str(problem)
    return "done"


async def main():
    options = msgspec.json.decode(sys.argv[1], type=HeartbeatOptions)
    context = Context(
        "action.gateway",
        "here",
        logging.getLogger("driver"),
        time.monotonic,
        lambda host, family: host,
        lambda: 0,
    )
    action = build(options, context)
    for words in (word.split(":") for word in sys.argv[2:]):
        began = time.monotonic()
        said = await step(action, words)
        took = round(time.monotonic() - began, 2)
        print(json.dumps({"step": words[0], "said": said, "took_s": took}), flush=True)
    await action.close()


if __name__ == "__main__":
    asyncio.run(main())
