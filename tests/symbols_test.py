"""Libraries built for one instruction set emit no weak symbols: `symbols_test.py BUILD_ROOT COMPILER...`.

An inline function or a template compiled with AVX-512 enabled is weak; the linker keeps any one copy of it for the whole
program, and an older processor then meets instructions it does not know.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from support.tree import Report

VARIANT = re.compile(r"(avx|avx2|avx512|sse4|neon|sve)\w*\.a$")


def weak_symbols(library):
    """Weak and unique definitions in `library`, with readable names."""
    output = subprocess.run(["nm", "-C", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    return [line.strip() for line in output.splitlines() if re.match(r"^[0-9a-f]* [WVu] ", line)]


def self_test(report, compiler):
    cases = {
        "inline int f(int x) { return x + 1; }\nint g(int x) { return f(x); }\n": True,
        "template <class T> T f(T x) { return x; }\nint g(int x) { return f(x); }\n": True,
        "namespace { inline int f(int x) { return x + 1; } }\nint g(int x) { return f(x); }\n": False,
    }
    with tempfile.TemporaryDirectory() as folder:
        for text, weak in cases.items():
            source, target = pathlib.Path(folder, "a.cpp"), pathlib.Path(folder, "a.o")
            source.write_text(text, encoding="utf-8")
            subprocess.run([*compiler, "-O0", "-c", str(source), "-o", str(target)], check=True)
            report.expect(bool(weak_symbols(target)) == weak, f"wrong verdict ({'weak' if weak else 'none'} expected) on: {text}")


def main():
    build, compiler = pathlib.Path(sys.argv[1]), sys.argv[2:]
    report = Report()
    self_test(report, compiler)
    libraries = sorted(path for path in build.glob("engine/**/*.a") if VARIANT.search(path.name))
    for library in libraries:
        report.check(weak_symbols(library), library.name)
    if not libraries:
        print("this build has no library for a particular instruction set")
        report.skipped += 1
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
