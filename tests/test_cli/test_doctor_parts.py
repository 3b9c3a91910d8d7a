"""What `fam doctor` is made of, where a real thing can't be had, or takes another user."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from famcore.backend import Capability
from famcore.cli.doctor import tree
from famcore.cli.doctor.filesystem import judge, look_at_filesystem, parse, told_of
from famcore.cli.doctor.finding import Finding, Level, worst
from famcore.cli.doctor.way import look_at_way

NOBODY = 65_534

#: Not this machine's: these can't be mounted for a test. Each line is as the kernel writes it.
MOUNTINFO = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:44 / /nfs rw,relatime shared:20 - nfs4 server:/export rw,vers=4.2,addr=10.0.0.1
31 22 0:45 / /old\040nfs rw,relatime - nfs server:/old rw,vers=3
32 22 0:46 / /win rw,relatime - cifs //server/share rw,vers=3.1.1
33 22 0:47 / /ssh rw,nosuid,nodev,relatime - fuse.sshfs me@server:/ rw,user_id=1000
34 22 0:48 / /raw rw,nosuid - fuse some-program rw
35 22 8:3 / /ntfs rw,relatime - fuseblk /dev/sda3 rw,user_id=0
36 22 0:49 / /mnt/c rw,noatime - 9p C:\134 rw,aname=drvfs
37 22 0:50 / /virtiofs rw,relatime - virtiofs share rw
38 22 0:51 / /vbox rw,nodev,relatime - vboxsf share rw
39 22 0:52 / /var/lib/docker/overlay2/x/merged rw,relatime - overlay overlay rw,lowerdir=l
40 22 0:4 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
41 22 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
42 41 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw
43 22 0:53 / /auto rw,relatime - autofs systemd-1 rw,fd=61
44 22 0:54 / /new rw,relatime - neverheardofs none rw
45 22 0:55 / /tmp rw - tmpfs tmpfs rw
46 22 0:56 / /glusterfs rw - fuse.glusterfs server:/volume rw
""".strip()


@pytest.mark.parametrize(
    ("point", "level", "said"),
    [
        ("/", Level.OK, "ext4 (/dev/sda1): what is changed there is told"),
        ("/tmp", Level.OK, "tmpfs"),
        ("/ntfs", Level.OK, "fuseblk"),
        ("/nfs", Level.WARNING, "nfs4 (server:/export): a network filesystem: what this machine"),
        ("/old nfs", Level.WARNING, "nfs (server:/old): a network filesystem"),
        ("/win", Level.WARNING, "cifs (//server/share): a network filesystem"),
        ("/ssh", Level.WARNING, "fuse.sshfs (me@server:/): a program serves it (FUSE)"),
        ("/glusterfs", Level.WARNING, "a program serves it (FUSE)"),
        ("/raw", Level.WARNING, "a program serves it (FUSE)"),
        ("/mnt/c", Level.WARNING, "9p (C:\\): shared with the machine that this one runs on"),
        ("/virtiofs", Level.WARNING, "shared with the machine that this one runs on"),
        ("/vbox", Level.WARNING, "shared with the machine that this one runs on"),
        ("/var/lib/docker/overlay2/x/merged", Level.NOTE, "laid over other directories"),
        ("/proc", Level.ERROR, "the kernel makes up its files"),
        ("/sys", Level.ERROR, "the kernel makes up its files"),
        ("/sys/fs/cgroup", Level.NOTE, "cgroup.events"),
        ("/auto", Level.NOTE, "mounted when somebody enters it"),
        ("/new", Level.NOTE, "neverheardofs (none): nothing is known here of such a filesystem"),
    ],
)
def test_by_a_text_of_mounts_each_filesystem_is_judged(
    point: str, level: Level, said: str, tmp_path: Path
) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(MOUNTINFO)
    with mountinfo.open() as lines:
        mounts = list(parse(lines))
    assert len(mounts) == len(MOUNTINFO.splitlines())
    [number] = [mount.number for mount in mounts if mount.point == point]
    found, *_ = judge(f"{point}/x", number, [it for it in mounts if it.number == number])
    assert found.level is level
    assert found.text.startswith(f"{point}/x is on ")
    assert said in found.text
    assert bool(found.remedy) is (level in (Level.WARNING, Level.ERROR))


def test_what_is_mounted_below_is_told_where_it_is_not_heard() -> None:
    mounts = list(parse(MOUNTINFO.splitlines()))
    found = list(judge("/sys", 41, mounts))
    assert [each.level for each in found] == [Level.ERROR]
    found = list(judge("/mnt", 22, mounts))
    assert [each.level for each in found] == [Level.OK, Level.WARNING]
    assert found[1].text.startswith("below it, at /mnt/c, is 9p (C:\\): ")
    # Not what only begins alike.
    assert len(list(judge("/n", 22, mounts))) == 1


def test_where_mounts_can_not_be_read_it_says_so(tmp_path: Path) -> None:
    [found] = look_at_filesystem(str(tmp_path), str(tmp_path / "missing"))
    assert found.level is Level.NOTE
    assert found.text == f"which one {tmp_path} is on can't be seen: No such file or directory"


def test_where_its_mount_is_not_listed_it_says_so(tmp_path: Path) -> None:
    """As in a chroot to a directory on which nothing is mounted."""
    mountinfo = tmp_path / "mountinfo"
    mountinfo.touch()
    [found] = look_at_filesystem(str(tmp_path), str(mountinfo))
    assert found.level is Level.NOTE
    assert found.text == (
        f"which one {tmp_path} is on can't be seen: its mount is not in {mountinfo}"
    )


def test_a_carriage_return_in_the_name_of_a_mount_ends_no_line(tmp_path: Path) -> None:
    """The kernel writes it as it is."""
    lines = Path("/proc/self/mountinfo").read_bytes()
    mountinfo = tmp_path / "mountinfo"
    bad = os.fsencode(tmp_path) + b"/a\rb"
    mountinfo.write_bytes(
        lines + b"999999 22 0:44 / " + bad + b" rw shared:1 master:2 unbindable - nfs server:/ rw\n"
    )
    *_, found = look_at_filesystem(str(tmp_path), str(mountinfo))
    assert found.text.startswith(f"below it, at {tmp_path}/a\rb, is nfs")


def test_a_subtype_of_fuse_is_fuse_and_nothing_else_has_subtypes() -> None:
    assert told_of("fuse.anything") == told_of("fuse")
    assert told_of("nfs4") != told_of("anything")


def test_the_worst_finding_counts() -> None:
    findings = [Finding(level, "x", "") for level in (Level.NOTE, Level.ERROR, Level.WARNING)]
    assert worst(findings) is Level.ERROR
    assert worst([findings[0], findings[2]]) is Level.WARNING
    assert worst([]) is Level.OK


# Permissions


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that others may enter, unlike pytest's own."""
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """What is done within is done with the rights of an ordinary user."""
    groups = os.getgroups()
    os.setgroups([])
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setgroups(groups)


def look_as_nobody(path: Path) -> list[Finding]:
    with as_nobody():
        return list(look_at_way(str(path)))


def test_who_may_read_all_is_told_so(place: Path) -> None:
    [found] = look_as_nobody(place)
    assert found.level is Level.OK
    assert found.text.endswith(f"may read all on the way to {place}")


def test_a_directory_that_may_not_be_gone_through_hinders(place: Path) -> None:
    (place / "a b/c").mkdir(parents=True)
    (place / "a b").chmod(0o644)
    [found] = look_as_nobody(place / "a b/c")
    assert found.level is Level.ERROR
    assert f"may not go through {place}/a b (drw-r--r--)" in found.text
    assert found.remedy.startswith("sudo setfacl -m u:")
    assert found.remedy.endswith(f":x '{place}/a b'")
    assert found.data == {"path": f"{place}/a b", "mode": "drw-r--r--"}


def test_one_above_that_may_not_be_read_is_worth_a_note(place: Path) -> None:
    (place / "a/b").mkdir(parents=True)
    (place / "a").chmod(0o711)
    [found] = look_as_nobody(place / "a/b")
    assert found.level is Level.NOTE
    assert found.text.endswith("(drwx--x--x): it is looked at every 60 s, not heard")
    assert found.remedy.endswith(f":r {place}/a")


def test_the_path_itself_has_to_be_readable(place: Path) -> None:
    (place / "a").mkdir(mode=0o711)
    [found] = look_as_nobody(place / "a")
    assert found.level is Level.ERROR
    assert f"may not list and watch {place}/a (drwx--x--x)" in found.text
    assert found.remedy.endswith(f":rx {place}/a")


def test_a_file_has_to_be_readable(place: Path) -> None:
    (place / "a").touch(mode=0o600)
    [found] = look_as_nobody(place / "a")
    assert found.level is Level.ERROR
    assert f"may not read {place}/a (-rw-------)" in found.text
    assert found.remedy.endswith(f":r {place}/a")


def test_the_way_is_also_that_of_its_links(place: Path) -> None:
    (place / "hidden/target").mkdir(parents=True)
    (place / "link").symlink_to("hidden/target")
    (place / "hidden").chmod(0o600)
    [found] = look_as_nobody(place / "link")
    assert found.level is Level.ERROR
    assert found.data["path"] == f"{place}/hidden"


# What is below


class Quick:
    """What is asked of a backend."""

    capabilities = Capability.CONTENTS


def test_directories_are_counted_as_a_recursive_monitor_would(tmp_path: Path) -> None:
    for name in ("a/b/c", ".svn/x", "file~/y"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "a/link").symlink_to("b")
    (tmp_path / "a/file").touch()
    (tmp_path / "a/file.swp").touch()
    counted = tree.count(str(tmp_path), Quick)  # type: ignore[arg-type]
    assert (counted.directories, counted.files, counted.watches) == (4, 1, 4)
    assert tree.describe(counted).text == (
        f"4 directories from {tmp_path} on, so a recursive monitor takes 4 watches"
    )


def test_counting_ends_in_time(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.setattr(tree, "LONG_ENOUGH", 0.0)
    counted = tree.count(str(tmp_path), Quick)  # type: ignore[arg-type]
    found = tree.describe(counted)
    assert found.data["complete"] is False
    assert "takes at least 1 watch (counted for 0 s)" in found.text


def test_what_may_not_be_listed_is_named(place: Path) -> None:
    for number in range(5):
        (place / f"closed{number}").mkdir(mode=0o700)
    with as_nobody():
        counted = tree.count(str(place), Quick)  # type: ignore[arg-type]
    found = tree.describe(counted)
    assert (found.level, counted.directories) == (Level.WARNING, 6)
    names = ", ".join(f"{place}/closed{number}" for number in range(3))
    assert found.text.endswith(f"; but {names} and 2 more may not be listed")
