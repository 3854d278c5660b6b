"""The one rule between folders: engine <- autograd <- nn <- diffusion <- align <- apps.

A folder includes itself and those to its left; tests/ and bench/ are included by nobody but themselves; includes are rooted
at the top; CUDA headers stay in engine/cuda, .cu and .cuh; libraries hidden behind one source file stay out of headers.
"""

import re
import sys

from support.tree import FOLDERS, Report, finds, includes, read, source_root, sources

CUDA = re.compile(r"^(cuda|cublas|cudnn|curand|cusolver|cusparse|cub/|thrust/|nccl|nvtx|cooperative_groups|mma\.h)")
HIDDEN = re.compile(r"^(nlohmann/|CLI/|toml\+\+/|png\.h|jpeglib\.h|jerror\.h|cblas|openblas)")


def problem(path, quoted, name):
    """What is wrong with `path` including `name`, or None."""
    home, first = path.parts[0], name.split("/")[0]
    if CUDA.match(name) and path.suffix not in {".cu", ".cuh"} and path.parts[:2] != ("engine", "cuda"):
        return f"includes <{name}>: CUDA headers belong to engine/cuda, .cu and .cuh"
    if HIDDEN.match(name) and path.suffix in {".h", ".cuh"} and home not in {"tests", "bench"}:
        return f"includes <{name}> in a header: users of the library would need it too"
    if not quoted:
        return None
    if first not in {*FOLDERS, "tests", "bench"} or ".." in name.split("/"):
        return f'includes "{name}": includes are rooted at the top of the tree'
    if first in {"tests", "bench"}:
        return None if home == first else f'includes "{name}": {first}/ is included by nobody'
    if home in FOLDERS and FOLDERS.index(first) > FOLDERS.index(home):
        return f'includes "{name}": {home} lies to the left of {first}'
    return None


def violations(root):
    found = []
    for path in sources(root):
        for line, quoted, name in includes(read(root / path)):
            what = problem(path, quoted, name)
            if what:
                found.append(f"{path}:{line} {what}")
    return found


def main():
    report = Report()
    bad = {
        "engine/a.h": '#include "autograd/variable.h"\n',
        "nn/b.cpp": '#include "tests/support/near.h"\n',
        "nn/c.cpp": '#include "bench/timer.h"\n',
        "align/d.cpp": '#include "pairs.h"\n',
        "engine/ops/e.cpp": "#include <cuda_runtime.h>\n",
        "engine/io/f.h": "#include <nlohmann/json.hpp>\n",
        "diffusion/g.h": '#include "../nn/module.h"\n',
    }
    for name, text in bad.items():
        report.expect(finds(violations, {name: text}), f"the check misses {name}: {text.strip()}")
    good = {
        "engine/cuda/a.h": "#include <cuda_runtime.h>\n#include <vector>\n",
        "engine/b.cpp": '// #include "nn/module.h"\n/*\n#include "apps/x.h"\n*/\n#include "engine/a.h"\n',
        "apps/c.cpp": '#include "engine/a.h"\n#include "align/b.h"\n#include <CLI/CLI.hpp>\n',
        "tests/d.cpp": '#include "tests/support/near.h"\n#include "apps/x.h"\n',
        "bench/e.cpp": '#include "nn/module.h"\n',
    }
    report.check(finds(violations, good), "a lawful tree is accepted")
    root = source_root()
    report.check(violations(root), "layers")
    report.expect(len(sources(root)) > 0, f"no sources under {root}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
