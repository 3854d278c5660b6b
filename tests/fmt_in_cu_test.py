"""No fmt header reaches a .cu: nvcc 13 rejects fmt 9 at C++20. Follows the includes of every .cu through the tree."""

import sys

from support.tree import Report, finds, includes, read, source_root, sources


def path_to_fmt(root, name, seen):
    """The chain of includes from `name` to a fmt header, or None."""
    if name in seen or not (root / name).is_file():
        return None
    seen.add(name)
    for _, quoted, target in includes(read(root / name)):
        if target.startswith("fmt/"):
            return [name, target]
        chain = path_to_fmt(root, target, seen) if quoted else None
        if chain:
            return [name, *chain]
    return None


def violations(root):
    chains = (path_to_fmt(root, str(path), set()) for path in sources(root, {".cu", ".cuh"}))
    return [" -> ".join(chain) for chain in chains if chain]


def main():
    report = Report()
    require = {"engine/require.h": "#include <fmt/core.h>\n"}
    report.expect(finds(violations, {"engine/a.cu": "#include <fmt/core.h>\n"}), "the check misses fmt in a .cu")
    deep = {"engine/a.cu": '#include "engine/b.cuh"\n', "engine/b.cuh": '#include "engine/require.h"\n', **require}
    report.expect(finds(violations, deep), "the check misses fmt behind two headers")
    clean = {"engine/a.cu": '#include "engine/a.h"\n', "engine/a.h": '// #include "engine/require.h"\n', **require}
    report.check(finds(violations, clean), "a clean .cu is accepted")
    report.check(violations(source_root()), "fmt")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
