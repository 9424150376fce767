"""Whatever stands in ``status.brief``, the agent runs none of it, with every shell at hand."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LINK = Path(__file__).parents[2] / "ocf" / "link"
SHELLS = [["dash"], ["bash", "--posix"], ["bash"]]
if shutil.which("busybox"):  # where it is installed, it may be /bin/sh
    SHELLS.append(["busybox", "sh"])
GENERIC, SUCCESS = 1, 0
EVIL = [
    "a[$(touch HIT)]",
    "a[`touch HIT`]+1",
    "$(touch HIT)",
    "`touch HIT`",
    "1;touch HIT",
    "1 && touch HIT",
    "/*",
    "*",
    "08",
    "010",
    "0x10",
    "-1",
    "+5",
    "1e3",
    "1 2",
    "9" * 30,
    "5\r",
    "5\x00",
    "\x1b[2J",
    "x=5",
    "PATH=/",
    "''",
    "\\",
    "${pid}",
    "٣",
    "",
]


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request):
    return request.param


@pytest.fixture
def node(tmp_path, shell):
    return Node(tmp_path, shell)


class Node:
    """A folder with a status, an agent that was started, and a living process for it to name."""

    def __init__(self, folder, shell):
        self.folder, self.shell = folder, shell
        self.run_dir, self.programs = folder / "run", folder / "bin"
        self.run_dir.mkdir(mode=0o755)
        self.programs.mkdir()
        updater = self.programs / "attrd_updater"
        updater.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{folder}/asked\n')
        updater.chmod(0o755)
        (folder / "havpn-link-link").write_text("havpn-old \n")
        self.file = self.run_dir / "status.brief"

    def fields(self, process=None):
        pid = os.getpid() if process is None else process
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        uptime = Path("/proc/uptime").read_text().split()[0]
        return {"state": "running", "pid": str(pid), "ticks": ticks, "uptime": uptime}

    def write(self, paths=("vpn1 up 1",), *, extra="", process=None, **fields):
        values = {**self.fields(process), **fields}
        lines = [f"{key} {value}" for key, value in values.items()]
        lines += [f"path {path}" for path in paths]
        text = "\n".join(lines) + "\n" + extra
        self.file.write_bytes(text.encode("utf-8", "surrogateescape"))
        self.file.chmod(0o644)

    def agent(self, action, **parameters):
        env = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HA_RSCTMP": str(self.folder),
            "OCF_RESKEY_run_dir": str(self.run_dir),
            **{f"OCF_RESKEY_{name}": value for name, value in parameters.items()},
        }
        done = subprocess.run(
            [*self.shell, str(LINK), action],
            cwd=self.folder, env=env, capture_output=True, text=True, errors="replace",
            timeout=60, check=False,
        )  # fmt: skip
        assert not (self.folder / "HIT").exists(), "it ran what stands in the file"
        assert "Traceback" not in done.stderr
        unexpected = [
            line for line in done.stderr.splitlines() if not line.startswith("ocf-exit-reason:")
        ]
        assert unexpected == [], "the shell itself complained"
        return done.returncode, done.stderr

    def asked(self):
        file = self.folder / "asked"
        found = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return found


def test_what_the_daemon_writes_is_understood(node):
    node.write(("vpn1 up 1", "b-2 unknown -", "c failing 1"), extra="later key of a release\n")
    assert node.agent("monitor") == (0, "")
    assert node.asked() == [
        "-n havpn-vpn1 -B 1 -d 0",
        "-n havpn-c -B 1 -d 0",
        "-n havpn-old -D",
    ]


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (("a recovering 0", "b failing 1"), "path a is recovering"),
        (("a recovering 0", "b down 0", "c recovering 0"), "path b is down"),
        (("a down 0", "b recovering 0"), "path a is down"),
        (("a recovering 0", "b unknown -"), "path a is recovering"),
    ],
)
def test_a_line_that_is_not_to_be_used_is_said_on_request_alone(node, paths, said):
    node.write(paths)
    assert node.agent("monitor") == (0, "")
    assert node.agent("monitor", degraded="yes") == (190, f"ocf-exit-reason:{said}\n")
    assert node.agent("monitor", degraded="no") == (0, "")


def test_what_is_only_doubted_is_never_said(node):
    node.write(("a failing 1", "b up 1", "c unknown -"))
    assert node.agent("monitor", degraded="yes") == (0, "")
    assert node.agent("validate-all", degraded="maybe", manage="false") == (
        6,
        "ocf-exit-reason:parameter degraded: 'maybe' is neither true nor false\n",
    )


def test_the_scores_are_written_beside_the_paths(node):
    node.write(("vpn1 up 1", "vpn2 down 0", "c up 1"), extra="score vpn1 140\nscore vpn2 0\n")
    assert node.agent("monitor", path="vpn1 vpn2")[0] == 0
    assert node.asked() == [
        "-n havpn-vpn1 -B 1 -d 0",
        "-n havpn-vpn1-score -B 140 -d 0",
        "-n havpn-vpn2 -B 0 -d 0",
        "-n havpn-vpn2-score -B 0 -d 0",
        "-n havpn-old -D",
    ]
    node.write(("vpn1 unknown -", "vpn2 down 0"), extra="score vpn1 -\nscore vpn2 0\n")
    node.agent("monitor", path="vpn1 vpn2")
    assert node.asked() == ["-n havpn-vpn2 -B 0 -d 0", "-n havpn-vpn2-score -B 0 -d 0"], "it stands"
    node.write(("vpn1 up 1", "vpn2 down 0"))
    node.agent("monitor", path="vpn1 vpn2")
    assert node.asked() == [
        "-n havpn-vpn1 -B 1 -d 0",
        "-n havpn-vpn2 -B 0 -d 0",
        "-n havpn-vpn1-score -D",
        "-n havpn-vpn2-score -D",
    ], "nobody ranks the lines any more"


def test_a_score_that_never_was_is_not_there_to_stand(node):
    node.write(("vpn1 up 1",), extra="score vpn1 -\n")
    node.agent("monitor", path="vpn1")
    assert node.asked() == ["-n havpn-vpn1 -B 1 -d 0", "-n havpn-old -D"]


def test_a_path_that_is_called_like_a_score_has_the_attribute(node):
    node.write(("vpn up 1", "vpn-score down 0"), extra="score vpn 140\nscore vpn-score 0\n")
    node.agent("monitor")
    assert node.asked() == [
        "-n havpn-vpn -B 1 -d 0",
        "-n havpn-vpn-score -B 0 -d 0",
        "-n havpn-vpn-score-score -B 0 -d 0",
        "-n havpn-old -D",
    ]


@pytest.mark.parametrize(
    "score",
    ["vpn1", "vpn1 ", "vpn1 -5", "vpn1 010", "vpn1 12345", "vpn1 5 5", "other 5", "* 5",
     "vpn1 5\nscore vpn1 6", "$(touch HIT) 5", "vpn1 $(touch HIT)", "vpn1 INFINITY"],
)  # fmt: skip
def test_a_score_that_makes_no_sense_is_believed_by_nobody(node, score):
    node.write(extra=f"score {score}\n")
    status, said = node.agent("monitor")
    assert status == GENERIC
    assert "makes no sense" in said
    assert node.asked() == ["-n havpn-old -D"]


@pytest.mark.parametrize("field", ["state", "pid", "ticks", "uptime"])
def test_a_field_that_is_no_plain_value_is_believed_by_nobody(node, field):
    for value in EVIL:
        node.write(**{field: value})
        status, said = node.agent("monitor")
        assert status == GENERIC, value
        assert "makes no sense" in said, value
        assert node.asked() == ["-n havpn-old -D"], "nothing that the file names is written"


@pytest.mark.parametrize(
    "path",
    [
        "vpn1",
        "vpn1 up",
        "vpn1 up 1 1",
        "vpn1 up 2",
        "vpn1 UP 1",
        "vpn1 $(touch HIT) 1",
        "vpn1 up $(touch HIT)",
        "$(touch HIT) up 1",
        "`touch HIT` up 1",
        "../../x up 1",
        "-D up 1",
        "Vpn up 1",
        "1vpn up 1",
        "vpn_1 up 1",
        "vpn.1 up 1",
        "* up 1",
        "[a-z]* up 1",
        "vpn1;touch up 1",
        "väin up 1",
        "vpn1\x00 up 1",
        "vpn1 up 1\r",
        "",
    ],
)
def test_a_path_that_no_configuration_could_have_is_believed_by_nobody(node, path):
    node.write([path])
    status, said = node.agent("monitor")
    assert (status, "makes no sense" in said) == (GENERIC, True)
    assert node.asked() == ["-n havpn-old -D"]


@pytest.mark.parametrize("key", ["state", "pid", "ticks", "uptime", "path"])
def test_what_stands_twice_is_believed_by_nobody(node, key):
    fields = {**node.fields(), "path": "vpn1 up 1"}
    node.write(extra=f"{key} {fields[key]}\n")
    assert node.agent("monitor")[0] == GENERIC


@pytest.mark.parametrize("missing", ["state", "pid", "ticks", "uptime"])
def test_what_lacks_a_line_is_believed_by_nobody(node, missing):
    node.write()
    lines = node.file.read_text().splitlines(keepends=True)
    node.file.write_text("".join(line for line in lines if not line.startswith(missing)))
    assert node.agent("monitor")[0] == GENERIC


def test_an_endless_file_is_not_read_to_its_end(node):
    node.write()
    with node.file.open("ab") as file:
        file.truncate(3_000_000_000)
    assert node.agent("monitor")[0] == GENERIC
    node.write(extra="x" * 70_000 + "\n")
    status, said = node.agent("monitor")
    assert (status, "makes no sense" in said) == (GENERIC, True)


@pytest.mark.parametrize("what", ["folder", "fifo", "link", "dangling", "socket folder"])
def test_only_a_regular_file_is_read(node, what):
    node.write()
    real = node.file.rename(node.folder / "elsewhere")
    if what == "fifo":
        os.mkfifo(node.file)
    elif what == "link":
        node.file.symlink_to(real)
    elif what == "dangling":
        node.file.symlink_to("nowhere")
    else:
        node.file.mkdir()
    assert node.agent("monitor")[0] == GENERIC
    assert node.asked() == ["-n havpn-old -D"]


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646, 0o622, 0o602, 0o777])
def test_what_others_can_write_is_not_believed(node, mode):
    node.write()
    node.file.chmod(mode)
    status, said = node.agent("monitor")
    assert (status, "can be written by others" in said) == (GENERIC, True)


@pytest.mark.lab  # it gives files to other users
@pytest.mark.parametrize(
    ("file_owner", "folder_owner", "folder_mode", "believed"),
    [
        (0, 0, 0o755, True),
        (0, 4711, 0o755, True),
        (0, 0, 0o1777, True),
        (4711, 0, 0o755, False),
        (4711, 0, 0o1777, False),
        (4711, 815, 0o755, False),
        (4711, 4711, 0o775, False),
        (4711, 4711, 0o757, False),
    ],
)
def test_whose_the_file_is(node, file_owner, folder_owner, folder_mode, believed):
    node.write()
    os.chown(node.file, file_owner, -1)
    os.chown(node.run_dir, folder_owner, -1)
    node.run_dir.chmod(folder_mode)
    status, said = node.agent("monitor")
    assert (status == SUCCESS) is believed, said


@pytest.mark.lab  # it gives files to other users
def test_the_daemon_s_own_user_names_its_own_process_only(node):
    os.chown(node.run_dir, 4711, -1)
    for user, believed in ((4711, True), (815, False)):
        sleeper = subprocess.Popen(["sleep", "60"], user=user)
        try:
            node.write(process=sleeper.pid)
            os.chown(node.file, 4711, -1)
            status, said = node.agent("monitor")
            assert (status == SUCCESS) is believed, said
            assert ("another user's" in said) is not believed
            node.agent("stop", CRM_meta_timeout="4000")
            assert (sleeper.poll() is None) is not believed
        finally:
            sleeper.kill()
            sleeper.wait()
        (node.folder / "havpn-link-link").write_text("\n")


def test_a_status_of_the_future_is_not_fresh(node):
    node.write(uptime="999999999.5")
    status, said = node.agent("monitor")
    assert (status, "hangs" in said) == (GENERIC, True)


@pytest.mark.parametrize("text", ["a[$(touch HIT)]", "08", "", "9" * 30, "x"])
def test_a_deadline_and_a_child_s_note_are_data_as_well(node, text):
    node.write(pid="none")
    (node.folder / "havpn-link-link.child").write_text(f"{text} {text}\n")
    assert node.agent("stop", CRM_meta_timeout=text)[0] == SUCCESS


def test_names_written_earlier_stand_for_no_files(node):
    (node.folder / "havpn-link-link").write_text("* havpn-old\n")
    node.write()
    node.agent("monitor")
    assert "-n * -D" in node.asked()


def test_a_link_that_somebody_put_into_run_dir_is_not_written_through(node):
    target = node.folder / "precious"
    target.write_text("mine")
    (node.run_dir / "agent.log").symlink_to(target)
    config = node.folder / "havpn.toml"
    config.write_text("")
    parameters = {"config": str(config), "binary": "false", "CRM_meta_timeout": "3000"}
    status, said = node.agent("start", **parameters)
    assert (status, "ended at once" in said) == (GENERIC, True)
    assert target.read_text() == "mine"
