"""engine/backend.cpp lists every op that has no CUDA kernel: whatever calls cpu_only is in the list.

The list may name more than the calls: ops made of others (min of max's kernel, std of var's).
"""

import re
import sys

from support.tree import Report, finds, read, source_root, sources

CALL = re.compile(r'\bcpu_only\("([^"]*)"')
LIST = re.compile(r"kCpuOnly = [^{]*\{(.*?)\}", re.DOTALL)


def violations(root):
    called = {}
    for path in sources(root, folders=("engine", "autograd")):
        for name in CALL.findall(read(root / path)):
            called.setdefault(name, str(path))
    listed = LIST.search(read(root / "engine/backend.cpp"))
    names = re.findall(r'"([^"]*)"', listed[1]) if listed else []
    return [f'{path} calls cpu_only("{name}"), which kCpuOnly lacks' for name, path in called.items() if name not in names]


def main():
    report = Report()
    backend = {"engine/backend.cpp": 'constexpr auto kCpuOnly = f({\n    "conv2d",\n});\n'}
    call = 'void k(Cuda cuda) { cpu_only("%s", cuda); }\n'
    report.expect(finds(violations, {"engine/a.h": call % "pool", **backend}), "the check misses an op outside the list")
    report.check(finds(violations, {"engine/a.h": call % "conv2d", **backend}), "a listed op is accepted")
    report.check(violations(source_root()), "cpu_only")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
