"""Sizes: lines of a file and of a public header, and of every function its lines, parameters and nesting.

A function may exceed its budget when a comment on the line above it, or inside it, says why in at least three words:
`// long: ...` for its lines, `// wide: ...` for its parameters, `// deep: ...` for its nesting.
"""

import re
import sys

from support.cpp_shape import functions
from support.tree import CPP_SUFFIXES, FOLDERS, Report, blank, finds, read, source_root, sources

FILE_WARNING, FILE_LIMIT, HEADER_LIMIT = 400, 600, 250
LENGTH, PARAMETERS, NESTING = 60, 6, 4
# Function-like macros the project keeps; ten at most.
MACROS = {"__launch_bounds__"}  # CUDA's own, for the emulator
# Headers for the library's own sources (packaging/install_headers.sh leaves them out): no more than a file's budget.
INTERNAL = re.compile(r"_(kernels|cpu|functors)$")
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\(", re.MULTILINE)
EXEMPTION = {"long": "lines", "wide": "parameters", "deep": "levels of nesting"}


def exempt(lines, function, word):
    return any(re.search(rf"// {word}: \S+ \S+ \S+", line) for line in lines[function.where])


def function_problems(path, text):
    lines = text.splitlines()
    for function in functions(text):
        sizes = {"long": (function.length, LENGTH), "wide": (function.parameters, PARAMETERS), "deep": (function.nesting, NESTING)}
        for word, (size, limit) in sizes.items():
            if size > limit and not exempt(lines, function, word):
                yield f"{path}:{function.line} {function.name} has {size} {EXEMPTION[word]}, at most {limit} (or say why: // {word}: ...)"


def file_problems(path, text):
    count = text.count("\n")
    if count > FILE_LIMIT:
        yield f"{path} has {count} lines, at most {FILE_LIMIT}"
    if path.suffix == ".h" and path.parts[0] in FOLDERS and not INTERNAL.search(path.stem) and count > HEADER_LIMIT:
        yield f"{path} has {count} lines, a header at most {HEADER_LIMIT}"
    if path.suffix not in CPP_SUFFIXES:
        return
    for match in MACRO.finditer(blank(text)):
        if match[1] not in MACROS:
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1} defines the function-like macro {match[1]}"
    yield from function_problems(path, text)


def violations(root):
    paths = sources(root, {*CPP_SUFFIXES, ".py"})
    return [problem for path in paths for problem in file_problems(path, read(root / path))]


def warn(root):
    for path in sources(root, {*CPP_SUFFIXES, ".py"}):
        count = read(root / path).count("\n")
        if FILE_WARNING < count <= FILE_LIMIT:
            print(f"warning: {path} has {count} lines, more than {FILE_WARNING}: is it still one idea?")


def function(body="", parameters=""):
    return f"namespace a {{\ntemplate <class T, class = If<(sizeof(T) > 3)>>\nint f({parameters}) {{\n{body}}}\n}}\n"


DEEP = "for (;;) { if (a) { while (b) { switch (c) { case 1: { if (d) { e(); } } } } } }\n"
BAD = {
    "a file of 601 lines": {"engine/a.cpp": "\n" * 601},
    "a header of 251 lines": {"engine/kernels.h": "\n" * 251},
    "a macro": {"nn/a.cpp": "#define CHECK_IT(x) x\n"},
    "a function of 61 lines": {"nn/a.cpp": function("  x();\n" * 60)},
    "seven parameters": {"nn/a.cpp": function("", "A a, B<int, int> b, C c, D d = {1, 2}, E e, F f, G g")},
    "five levels": {"nn/a.cpp": function(DEEP)},
    "five levels without braces": {"nn/a.cpp": function("for (;;) if (a) while (b) for (;;) if (c) { d(); }\n")},
    "a method of 61 lines": {"nn/a.cpp": "struct A : B {\n  void f() const override {\n" + "x();\n" * 60 + "  }\n};\n"},
    "a constructor of 61 lines": {"nn/a.cpp": "A::A(int a) : b{a}, c(a) {\n" + "x();\n" * 60 + "}\n"},
    "an excuse without a reason": {"nn/a.cpp": "// long: because\nvoid f() {\n" + "x();\n" * 60 + "}\n"},
}
GOOD = {
    "the limits themselves": {"nn/a.cpp": function("  x();\n" * 58, "A a, B<int, int> b, C c, D d = {1, 2}, E e, F f")},
    "four levels and values": {"nn/a.cpp": function("for (;;) { if (a) { while (b) { if (c) return P{1, Q{2}}; g({.x = {1}}); } } }\n")},
    "lambdas are no levels": {"nn/a.cpp": function("p(0, [&](int i) { for (;;) q([=] { r(i, [] { for (;;) { if (a) {} } }); }); });\n")},
    "a tag and six parameters": {"nn/a.cpp": function("", "Cpu, A a, B b, C c, D d, E e, F f")},
    "a loop over five indices": {"nn/a.cpp": function("for (;;) for (;;) for (;;) for (;;) for (;;) { a(); }\n")},
    "an internal header": {"engine/a_kernels.h": "\n" * 251},
    "long data": {"nn/a.cpp": "const int kData[] = {\n" + "1,\n" * 300 + "};\nenum class E {\n" + "a,\n" * 90 + "};\n"},
    "a long class": {"nn/a.cpp": "class A final : public B<int> {\n" + "  void f();\n" * 90 + "};\n"},
    "a reason": {"nn/a.cpp": "// long: the register tile is unrolled by hand\nvoid f() {\n" + "x();\n" * 60 + "}\n"},
    "braces in text": {"nn/a.cpp": "void f() {\n  p(\"{{{{\", '{', R\"({ if (a) { )\");  // {{{\n}\n" + "\n" * 80 + "void g() {}\n"},
}


def main():
    report = Report()
    for what, files in BAD.items():
        report.expect(finds(violations, files), f"the check misses {what}")
    for what, files in GOOD.items():
        report.check(finds(violations, files), f"the check cries wolf at {what}")
    report.expect(len(MACROS) <= 10, f"{len(MACROS)} macros are allowed, at most 10")
    root = source_root()
    warn(root)
    report.check(violations(root), "budget")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
