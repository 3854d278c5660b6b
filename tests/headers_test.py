"""Every header compiles alone and twice: `headers_test.py SOURCE_ROOT BUILD_ROOT COMPILER...`.

A header that comes first in a source of the build has been compiled alone already, and so has what that header itself
begins with; only the others are compiled here. Their results are kept in the build directory and reused until the header,
or anything it includes, changes.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from support.tree import FOLDERS, Report, blank, finds, includes, read, sources

GUARD = re.compile(r"\s*#pragma once\b")
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def commands(build):
    database = build / "compile_commands.json"
    return json.loads(read(database)) if database.exists() else []


def first_include(text):
    """The header `text` includes before anything else that counts, or None."""
    text = blank(text, strings=False)
    if not re.match(r"\s*(?:#pragma once\s*)?#\s*include\s*\"", text):
        return None
    return includes(text)[0][2]


def compiled_alone(root, compiled):
    """Guarded headers that stand first in one of the `compiled` sources, directly or through what stands first."""
    proven = set()
    for source in compiled:
        header = first_include(read(source))
        while header and header not in proven and (root / header).is_file():
            text = read(root / header)
            if not GUARD.match(blank(text)):
                break
            proven.add(header)
            header = first_include(text)
    return proven


def include_flags(build):
    """The -I and -isystem flags the build itself uses: where its libraries are."""
    flags = {}
    for entry in commands(build):
        words = iter(shlex.split(entry["command"]))
        for word in words:
            if word in {"-I", "-isystem"}:
                word += next(words)
            if word.startswith(("-I", "-isystem")):
                prefix = "-I" if word.startswith("-I") else "-isystem"
                flags[prefix + os.path.join(entry["directory"], word[len(prefix) :])] = None
    return list(flags)


def compile_twice(compiler, flags, header):
    """(errors, files read) of compiling a source that includes `header` twice."""
    with tempfile.TemporaryDirectory() as folder:
        source, depfile = pathlib.Path(folder, "twice.cpp"), pathlib.Path(folder, "twice.d")
        source.write_text(f'#include "{header}"\n#include "{header}"\n', encoding="utf-8")
        command = [*compiler, *FLAGS, *flags, "-MD", "-MF", str(depfile), "-MT", "x", str(source)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            return run.stderr or f"status {run.returncode}", []
        names = re.sub(r"\\\n", " ", depfile.read_text(encoding="utf-8")).split(":", 1)[1].split()
        return "", [name for name in names if name != str(source)]


def stamp(names):
    return {name: os.stat(name).st_mtime_ns for name in names if os.path.exists(name)}


def problems(compiler, flags, headers, cache):
    """{header: errors}; `cache` maps a header that was fine to the times of what it read."""
    stale = [header for header in headers if not cache.get(header) or stamp(cache[header]) != cache[header]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        results = pool.map(lambda header: compile_twice(compiler, flags, header), stale)
        for header, (errors, names) in zip(stale, results):
            cache[header] = errors or stamp(names)
    return {header: cache.pop(header) for header in headers if isinstance(cache[header], str)}


def self_test(report, compiler):
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "good.h": "#pragma once\n#include <string>\ninline std::string f() { return {}; }\n",
            "once.h": "inline int f() { return 1; }\n",
            "alone.h": "#pragma once\ninline std::string f() { return {}; }\n",
        }
        for name, text in files.items():
            pathlib.Path(folder, name).write_text(text, encoding="utf-8")
        found = problems(compiler, ["-I" + folder], list(files), cache := {})
        report.expect(set(found) == {"once.h", "alone.h"}, f"of three headers two are wrong, found {sorted(found)}")
        report.expect(list(cache) == ["good.h"], "only good results are kept")
        pathlib.Path(folder, "good.h").write_text("#error\n", encoding="utf-8")
        os.utime(pathlib.Path(folder, "good.h"), ns=(1, 1))
        report.expect(problems(compiler, ["-I" + folder], ["good.h"], cache), "a changed header is compiled again")
    sources_of = {
        "a.cpp": '// why\n#include "a.h"\n#include "b.h"\n',
        "a.h": '#pragma once\n#include "first.h"\n#include <string>\n',
        "first.h": "// what\n#pragma once\n#include <vector>\n",
        "b.h": "#pragma once\n",
        "c.cpp": '#include "open.h"\n',
        "open.h": '#include "b.h"\n',
        "d.cpp": '#define X\n#include "b.h"\n',
    }
    proven = finds(lambda root: compiled_alone(root, sorted(root.glob("*.cpp"))), sources_of)
    report.expect(proven == {"a.h", "first.h"}, f"a.h and first.h stand first, found {sorted(proven)}")


def main():
    root, build, compiler = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), sys.argv[3:]
    report = Report()
    self_test(report, compiler)
    headers = [str(path) for path in sources(root, {".h"}, (*FOLDERS, "tests")) if path.parts[:2] != ("engine", "cuda")]
    store = build / "headers_test.json"
    flags = ["-I" + str(root), "-I" + str(build), *include_flags(build)]
    key = " ".join([*compiler, *FLAGS, *flags])
    kept = json.loads(read(store)) if store.exists() else {}
    cache = kept["fine"] if kept.get("key") == key else {}
    compiled = [pathlib.Path(entry["directory"], entry["file"]) for entry in commands(build)]
    built = (*FOLDERS, "tests")
    proven = compiled_alone(root, [path for path in compiled if path.resolve().relative_to(root).parts[0] in built])
    found = problems(compiler, flags, [header for header in headers if header not in proven], cache)
    store.write_text(json.dumps({"key": key, "fine": cache}), encoding="utf-8")
    for header in headers:
        report.check([found[header]] if header in found else [], header)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
