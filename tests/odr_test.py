"""No two types of one name in one namespace: the linker would take either's functions for both, without a word.

What a program holds is the library with the apps, or one folder of tests or bench beside them. Types in unnamed namespaces and
inside functions or other types are nobody else's.
"""

import re
import sys

from support.tree import Report, blank, finds, read, source_root, sources

TOKEN = re.compile(
    r"""namespace\s+(?P<namespace>[\w:]*)\s*\{
      | (?:struct|class|union|enum(?:\s+(?:class|struct))?)\s+(?:alignas\([^)]*\)\s*)?
        (?P<type>\w+(?:::\w+)*)\s*(?P<special><[^;{}()]*>\s*)?(?:final\s*)?(?::[^;{}()]*)?\{
      | (?P<open>\{) | (?P<close>\})""",
    re.VERBOSE,
)


def types(text):
    """(line, qualified name) of the types that other files could mean, too. A member defined outside is its type's matter."""
    text, scopes = blank(text), []
    for match in TOKEN.finditer(text):
        if match["close"]:
            del scopes[-1:]
            continue
        if match["type"] and "::" not in match["type"] and not match["special"] and all(scopes):
            yield text.count("\n", 0, match.start("type")) + 1, "::".join([*scopes, match["type"]])
        scopes.append(match["namespace"] or "")


def program(path):
    """Which programs a source is part of: "" stands for all of them."""
    return "/".join(path.parts[:2]) if path.parts[0] in {"tests", "bench"} else ""


def violations(root):
    places = {}
    for path in sources(root):
        for line, name in types(read(root / path)):
            places.setdefault(name, []).append((program(path), f"{path}:{line}"))
    found = []
    for name, where in sorted(places.items()):
        for program_of, place in where[1:]:
            others = [other for other_program, other in where[: where.index((program_of, place))]
                      if other_program in {"", program_of} or program_of == ""]
            if others:
                found.append(f"{place}: {name} is also in {others[0]}; rename one or put it into an unnamed namespace")
    return found


def main():
    report = Report()
    bad = {
        "apps/a.cpp": "namespace plumb {\nstruct Plan { int x; };\n}\n",
        "apps/b.h": "namespace plumb {\nclass Plan final : public Base<int> {\n};\n}\n",
    }
    report.expect(finds(violations, bad), "the check misses two types of one name")
    report.expect(finds(violations, {"tests/nn/a.cpp": bad["apps/a.cpp"], "nn/b.cpp": bad["apps/a.cpp"]}),
                  "the check misses a test's type of the library's name")
    good = {
        "apps/a.cpp": "namespace plumb {\nnamespace {\nstruct Plan { int x; };\n}\nvoid f() { struct Own { int y; }; }\n}\n",
        "apps/b.cpp": "namespace plumb::other {\nstruct Plan { struct Own { int z; } own; };\n// struct Plan {\n}\n",
        "apps/c.cpp": "namespace plumb {\nstruct Plan;\nstruct Plan { struct Own {} own; };\ntemplate <> struct Size<int> {};\n}\n",
        "tests/nn/a.cpp": "namespace plumb::test {\nstruct Case {};\n}\n",
        "tests/align/a.cpp": "namespace plumb::test {\nstruct Case {};\n}\n",
    }
    report.check(finds(violations, good), "the check refuses what is right")
    report.check(violations(source_root()))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
