"""./plumb, with made-up tools in front: what it asks for, where it runs, what it passes on. Nothing is built."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from support.tree import Report, source_root

# What the script may count on everywhere; everything else is made up below.
BASE = ["sh", "cat", "awk", "sed", "tail", "dirname", "readlink", "mkdir", "rm", "id", "env", "flock", "chmod", "python3", "touch"]
TOOLS = {
    "c++": "cat >/dev/null",
    "pkg-config": "exit 0",
    "meson": 'case $1 in setup) [ -e "$2" ] && touch "$2/build.ninja" && echo configured ;; esac',
    # Builds a program that tells how it was called; a file named broken makes the build fail.
    "ninja": """
      [ ! -e "$2/../broken" ] || { echo '[1/2] Compiling a.cpp'; echo 'a.cpp:1: error: no such thing'; exit 1; }
      echo '[1/1] Linking plumb'
      mkdir -p "$2/apps"
      printf '#!/bin/sh\\npwd\\nfor a; do echo "<$a>"; done\\nexit 7\\n' >"$2/apps/plumb"
      chmod +x "$2/apps/plumb" """,
}


class Machine:
    """A tree with the launcher, and a PATH that holds the base tools and `tools`."""

    def __init__(self, folder, launcher, tools):
        self.tree = pathlib.Path(folder, "a tree", "plumb")
        self.bin = pathlib.Path(folder, "bin")
        self.away = pathlib.Path(folder, "else where")
        for path in (self.tree, self.bin, self.away):
            path.mkdir(parents=True)
        shutil.copy(launcher, self.tree / "plumb")
        for name in BASE:
            if found := shutil.which(name):
                (self.bin / name).symlink_to(found)
        for name in tools:
            (self.bin / name).write_text("#!/bin/sh\n" + TOOLS[name] + "\n", encoding="utf-8")
            (self.bin / name).chmod(0o755)

    def run(self, *arguments, program=None):
        environment = {"PATH": str(self.bin), "HOME": str(self.away)}
        command = [str(program or self.tree / "plumb"), *arguments]
        return subprocess.run(command, cwd=self.away, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def check_bare_machine(report, machine):
    done = machine.run("toy2d")
    report.expect(done.returncode == 1, f"a machine without tools gives status {done.returncode}")
    for word in ("apt-get install g++ meson", "dnf install gcc-c++", "pacman -S gcc", "brew install gcc", "libopenblas-dev", "fmt-devel"):
        report.expect(word in done.stderr, f"the message lacks {word!r}: {done.stderr}")
    report.expect(done.stdout == "", "what is missing goes to stderr")


def check_full_machine(report, machine):
    done = machine.run("toy2d", "--out", "a b", "")
    expected = f"{machine.away}\n<toy2d>\n<--out>\n<a b>\n<>\n"
    report.expect(done.stdout == expected, f"the program saw {done.stdout!r}, not {expected!r}; {done.stderr}")
    report.expect(done.returncode == 7, f"its status 7 became {done.returncode}")
    report.expect("building" in done.stderr, f"a build is announced: {done.stderr!r}")
    link = machine.away / "link"
    link.symlink_to(machine.tree / "plumb")
    report.expect(machine.run("x", program=link).stdout == f"{machine.away}\n<x>\n", "a link to the launcher works")
    report.expect("<op>\n<--help>" in machine.run("help", "op").stdout, "help VERB asks the verb")
    (machine.tree / "broken").touch()
    done = machine.run("toy2d")
    report.expect(done.returncode == 1 and "no such thing" in done.stderr, f"a failed build shows why: {done.stderr!r}")
    report.expect("[1/2]" not in done.stderr, "ninja's counters are no reason")


def main():
    report = Report()
    launcher = source_root() / "plumb"
    with tempfile.TemporaryDirectory() as folder:
        check_bare_machine(report, Machine(folder, launcher, []))
    with tempfile.TemporaryDirectory() as folder:
        check_full_machine(report, Machine(folder, launcher, TOOLS))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
