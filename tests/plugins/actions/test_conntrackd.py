"""The action ``conntrackd`` with scripts in place of conntrackd."""

import asyncio
import logging
import time

import pytest
from havpn_plugins.actions.conntrackd import (
    COMMIT_S,
    Conntrackd,
    ConntrackdOptions,
    havpn_register_actions,
)

from havpn_core import ActionError, Context, Prepares, Role
from havpn_core.plugging.protocols import able

TYPE = next(iter(havpn_register_actions()))
PREPARE_S = 0.1
COMMIT, TAKE = "-c", ["-f", "-R", "-B"]
GIVE = ["-t", "-n"]
DEAD = "[Thu Nov 26 08:21:59 2026] (pid=1171) [ERROR] can't connect: is conntrackd running?"


class World:
    """A conntrackd that is a script, and the action that speaks to it."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "conntrackd.conf"
        self.config.write_text("Sync {\n\tMode FTFW {\n\t}\n}\n")
        self.program = folder / "conntrackd"
        self.behave("")
        resolve, changes = (lambda host, family: host), (lambda: 0)
        self.context = Context(
            "action.states", "gw-aa", logging.getLogger("test"), time.monotonic, resolve, changes
        )
        self.action = self.build()

    def build(self):
        options = ConntrackdOptions(command=str(self.program), config=str(self.config))
        return Conntrackd(options, self.context)

    def behave(self, body):
        """Let the script do something more for the step ``$step``."""
        note = f'shift 2; step=$*; printf "%s\\n" "$step" >>{self.folder}/began\n'
        done = f'\nprintf "%s\\n" "$step" >>{self.folder}/ended\n'
        self.program.write_text(f"#!/bin/sh\necho $1 $2 >{self.folder}/file\n{note}{body}{done}")
        self.program.chmod(0o755)

    def steps(self, which="ended"):
        file = self.folder / which
        return file.read_text().splitlines() if file.exists() else []

    def forget(self):
        for which in ("began", "ended"):
            (self.folder / which).unlink(missing_ok=True)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_the_commit_comes_before_the_address_and_the_rest_after_it(world):
    async def take():
        await world.action.prepare(Role.ACTIVE, 5)
        before = world.steps()
        await world.action.apply(Role.ACTIVE, 10)
        return before

    assert asyncio.run(take()) == [COMMIT]
    assert world.steps() == [COMMIT, *TAKE]
    assert (world.folder / "file").read_text().split() == ["-C", str(world.config)]


def test_giving_purges_and_has_the_partner_send_and_prepares_nothing(world):
    async def give():
        await world.action.prepare(Role.STANDBY, PREPARE_S)
        assert world.steps("began") == []
        await world.action.apply(Role.STANDBY, 10)

    asyncio.run(give())
    assert world.steps() == GIVE


def test_without_preparing_the_commit_still_comes_first(world):
    asyncio.run(world.action.apply(Role.ACTIVE, 10))
    assert world.steps() == [COMMIT, *TAKE]


def test_each_change_commits_anew(world):
    async def changes():
        for role in (Role.ACTIVE, Role.STANDBY, Role.ACTIVE):
            await world.action.prepare(role, 5)
            await world.action.apply(role, 10)

    asyncio.run(changes())
    assert world.steps() == [COMMIT, *TAKE, *GIVE, COMMIT, *TAKE]


def test_what_was_prepared_for_a_change_that_did_not_come_is_prepared_again(world):
    async def changes():
        await world.action.prepare(Role.ACTIVE, 5)
        await world.action.prepare(Role.STANDBY, 5)
        await world.action.prepare(Role.ACTIVE, 5)
        await world.action.apply(Role.ACTIVE, 10)

    asyncio.run(changes())
    assert world.steps() == [COMMIT, COMMIT, *TAKE]


def test_a_change_to_standby_between_forgets_what_was_prepared(world):
    async def changes():
        await world.action.prepare(Role.ACTIVE, 5)
        await world.action.apply(Role.STANDBY, 10)
        await world.action.apply(Role.ACTIVE, 10)

    asyncio.run(changes())
    assert world.steps() == [COMMIT, *GIVE, COMMIT, *TAKE]


def test_a_long_commit_is_reported_in_time_and_flushed_only_after_its_end(world):
    world.behave('[ "$step" = -c ] && sleep 0.6')

    async def take():
        began = time.monotonic()
        with pytest.raises(ActionError, match=r"not committed all .* within 0\.08 s: it goes on"):
            await world.action.prepare(Role.ACTIVE, PREPARE_S)
        took = time.monotonic() - began
        await world.action.apply(Role.ACTIVE, 10)
        return took

    assert asyncio.run(take()) < PREPARE_S
    assert world.steps() == [COMMIT, *TAKE]
    assert world.steps("began").count(COMMIT) == 1
    assert world.action.facts()["commit_ms"] > 600


def test_a_commit_under_way_is_not_begun_twice(world):
    world.behave('[ "$step" = -c ] && sleep 0.5')

    async def take():
        for _ in range(2):
            with pytest.raises(ActionError):
                await world.action.prepare(Role.ACTIVE, PREPARE_S)
        await world.action.apply(Role.ACTIVE, 10)

    asyncio.run(take())
    assert world.steps("began") == [COMMIT, *TAKE]


def test_a_commit_that_hangs_is_given_up_at_the_deadline_and_nothing_is_flushed(world):
    world.behave('[ "$step" = -c ] && exec sleep 60')

    async def take():
        with pytest.raises(ActionError, match="it goes on"):
            await world.action.prepare(Role.ACTIVE, PREPARE_S)
        began = time.monotonic()
        with pytest.raises(ActionError, match=r"within 0\.5 s: it was given up"):
            await world.action.apply(Role.ACTIVE, 0.5)
        assert 0.5 <= time.monotonic() - began < 1.5
        world.behave("")
        await world.action.apply(Role.ACTIVE, 10)

    asyncio.run(take())
    assert world.steps("began") == [COMMIT, COMMIT, *TAKE]
    assert COMMIT_S == 60


def test_a_commit_that_fails_flushes_nothing_and_is_tried_again(world):
    world.behave('[ "$step" = -c ] && exit 1')

    async def take():
        with pytest.raises(ActionError, match=r"^conntrackd -c ended with status 1$"):
            await world.action.prepare(Role.ACTIVE, PREPARE_S)
        with pytest.raises(ActionError, match=r"^conntrackd -c ended with status 1$"):
            await world.action.apply(Role.ACTIVE, 10)
        assert world.steps("began") == [COMMIT]
        world.behave("")
        world.forget()
        await world.action.apply(Role.ACTIVE, 10)

    asyncio.run(take())
    assert world.steps() == [COMMIT, *TAKE]


def test_a_later_step_that_failed_is_tried_again_without_a_second_commit(world):
    world.behave('[ "$step" = -R ] && { echo "no memory" >&2; exit 1; }')

    async def take():
        with pytest.raises(ActionError, match=r"^conntrackd -R ended with status 1: no memory$"):
            await world.action.apply(Role.ACTIVE, 10)
        assert world.steps() == [COMMIT, "-f"]
        world.behave("")
        world.forget()
        await world.action.apply(Role.ACTIVE, 10)

    asyncio.run(take())
    assert world.steps() == TAKE


def test_the_steps_share_one_deadline(world):
    world.behave('[ "$step" = -R ] && sleep 0.4; [ "$step" = -B ] && exec sleep 60')

    async def take():
        began = time.monotonic()
        with pytest.raises(ActionError, match="conntrackd did not end within"):
            await world.action.apply(Role.ACTIVE, 1)
        assert 0.9 <= time.monotonic() - began < 1.9

    asyncio.run(take())
    assert world.steps() == [COMMIT, "-f", "-R"]


def test_one_that_does_not_run_is_said_with_the_remedy(world):
    world.behave(f'echo "{DEAD}" >&2; exit 1')

    async def take():
        with pytest.raises(ActionError, match="conntrackd does not run") as caught:
            await world.action.prepare(Role.ACTIVE, PREPARE_S)
        return str(caught.value)

    said = asyncio.run(take())
    assert said.startswith("conntrackd -c: ")
    assert str(world.config) in said
    assert "systemctl start conntrackd" in said


def test_what_it_complains_of_is_said_without_its_stamp(world):
    world.behave("echo '[Thu Nov 26 2026] (pid=7) [ERROR] bad luck' >&2; exit 3")
    with pytest.raises(ActionError, match=r"^conntrackd -t ended with status 3: bad luck$"):
        asyncio.run(world.action.apply(Role.STANDBY, 10))


def test_a_missing_program_is_said(world):
    world.program.unlink()

    async def take():
        with pytest.raises(ActionError, match="conntrackd: No such file"):
            await world.action.prepare(Role.ACTIVE, PREPARE_S)

    asyncio.run(take())


def test_closing_waits_for_no_commit_and_may_come_twice(world):
    world.behave('[ "$step" = -c ] && exec sleep 60')

    async def take():
        with pytest.raises(ActionError):
            await world.action.prepare(Role.ACTIVE, PREPARE_S)
        began = time.monotonic()
        world.action.close()
        world.action.close()
        await asyncio.sleep(0.1)
        return time.monotonic() - began, asyncio.all_tasks() - {asyncio.current_task()}

    took, tasks = asyncio.run(take())
    assert took < 1
    assert not tasks


def test_it_prepares_owns_nothing_and_knows_no_role(world):
    assert able(world.action, Prepares)
    assert not TYPE.owns
    assert world.action.observe() is None
    assert world.action.facts() == {}


def test_check_misses_program_file_and_section(world):
    def missing(**changes):
        given = {"command": str(world.program), "config": str(world.config), **changes}
        return TYPE.missing(ConntrackdOptions(**given))

    assert missing() == []
    (problem,) = missing(command="/nowhere/conntrackd")
    assert problem.endswith("is not there: install the package conntrackd")
    (problem,) = missing(config="/nowhere/conntrackd.conf")
    assert problem == "conntrackd's /nowhere/conntrackd.conf: No such file or directory"
    world.config.write_text("# Sync {\nGeneral {\n}\nStats {\n\tLogFile on\n}\n")
    (problem,) = missing()
    assert "has no section Sync" in problem
