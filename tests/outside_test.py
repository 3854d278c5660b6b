"""The installed library serves a stranger: `outside_test.py SOURCE_ROOT BUILD_ROOT MESON COMPILER...`.

Installs into a temporary place, builds each program of tests/support/outside/ with nothing but the flags of
`pkg-config --cflags --libs plumb`, runs it, and compares what it prints with the `// prints: ...` line in its source.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from support.tree import Report, read

# Libraries a user never needs: they are hidden behind one source file each.
HIDDEN = ["nlohmann", "CLI11", "tomlplusplus", "openblas", "png"]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def install(build, meson, destination):
    done = run([meson, "install", "-C", str(build), "--no-rebuild", "--quiet", "--destdir", str(destination)])
    if done.returncode:
        raise SystemExit(f"meson install failed:\n{done.stdout}{done.stderr}\n0 passed, 1 failed, 0 skipped")
    return next(destination.rglob("plumb.pc"))


def flags_of(pc, environment):
    # The installation is staged: plumb.pc names the final prefix, so tell pkg-config where it is now.
    prefix = next(str(parent) for parent in pc.parents if (parent / "include" / "plumb").is_dir())
    return run(["pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "plumb"], env=environment).stdout.split()


def outcome(source, compiler, flags, environment, folder):
    """What the program prints, or the compiler's complaint."""
    program = folder / source.stem
    built = run([*compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", str(source), "-o", str(program), *flags], cwd=folder)
    if built.returncode:
        return built.stderr
    ran = run([str(program)], env=environment)
    return ran.stdout.strip() if ran.returncode == 0 else f"status {ran.returncode}: {ran.stderr}"


def main():
    root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    meson, compiler = sys.argv[3], sys.argv[4:]
    report = Report()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        pc = install(build, meson, folder / "stage")
        environment = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent), "LD_LIBRARY_PATH": str(pc.parent.parent)}
        flags = flags_of(pc, environment)
        leaks = [name for name in HIDDEN if name in " ".join(flags) or name in read(pc)]
        report.expect(not leaks, f"plumb.pc asks its users for {leaks}")
        headers = list((pc.parents[1] / "..").resolve().rglob("*_kernels.h"))
        report.expect(not headers, f"internal headers are installed: {headers[:3]}")
        for source in sorted((root / "tests" / "support" / "outside").glob("*.cpp")):
            expected = re.search(r"^// prints: (.*)$", read(source), re.MULTILINE)[1]
            printed = outcome(source, compiler, flags, environment, folder)
            report.expect(printed == expected, f"{source.name} gives {printed!r}, not {expected!r}")
        missing = folder / "missing.cpp"
        missing.write_text('#include "engine/no_such_header.h"\nint main() {}\n', encoding="utf-8")
        report.expect("no_such_header" in outcome(missing, compiler, flags, environment, folder), "a bad program is noticed")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
