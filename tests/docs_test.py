"""Documentation keeps up with the code: every objective has a page that names each of its options, and links lead somewhere.

Names come from the table in align/objective.cpp; keys from what align/objectives/NAME.cpp, and the functions it hands its
OptionReader to, read.
"""

import re
import sys

from support.tree import Report, finds, read, source_root, sources

PAGES = "docs/objectives"
ENTRY = re.compile(r'^\s*\{"(\w+)", "[^"]*", make_\w+\},$', re.MULTILINE)
KEY = re.compile(r'\bread\.(?:number|non_negative|choice)\(\s*"(\w+)"')
HELPER = re.compile(r"^\w[\w:<>]* (read_\w+)\(OptionReader& read\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def helpers(root):
    """{name: body} of the functions that read options several objectives share."""
    texts = (read(root / path) for path in sources(root, {".cpp"}, ["align"]))
    return {match[1]: match[2] for text in texts for match in HELPER.finditer(text)}


def keys_of(text, shared):
    """The option keys that `text` reads, itself or through the shared functions it calls."""
    keys = set(KEY.findall(text))
    for name, body in shared.items():
        if re.search(rf"\b{name}\(read\)", text):
            keys |= keys_of(body, {other: more for other, more in shared.items() if other != name})
    return keys


def objective_problems(root):
    names = ENTRY.findall(read(root / "align/objective.cpp"))
    if not names:
        yield "align/objective.cpp: no objective found"
    shared = helpers(root)
    index = root / PAGES / "README.md"
    linked = read(index) if index.is_file() else ""
    for name in names:
        page, source = root / PAGES / f"{name}.md", root / "align/objectives" / f"{name}.cpp"
        if not page.is_file():
            yield f"{name} has no page {PAGES}/{name}.md"
            continue
        if f"({name}.md)" not in linked:
            yield f"{PAGES}/README.md does not link {name}.md"
        text = read(page)
        for key in sorted(keys_of(read(source), shared)):
            if f"`{key}`" not in text:
                yield f"{PAGES}/{name}.md does not name the option `{key}`"


def anchors(text):
    """GitHub's names of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub(lambda m: "" if m[0].startswith("```") else m[0].strip("`"), text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def link_problems(root):
    pages = sorted(path for path in [root / "README.md", *(root / "docs").rglob("*.md")] if path.is_file())
    for page in pages:
        for match in LINK.finditer(CODE.sub("", read(page))):
            target, _, anchor = (match[1] or match[2]).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            path = (page.parent / target) if target else page
            where = f"{page.relative_to(root)} links {match[1] or match[2]}"
            if not path.exists():
                yield f"{where}, which is not there"
            elif anchor and anchor not in anchors(read(path)):
                yield f"{where}, but there is no such heading"


def violations(root):
    return [*objective_problems(root), *link_problems(root)]


TREE = {
    "align/objective.cpp": '  table = {\n      {"sft", "on winners", make_sft},\n      {"x", "other", make_x},\n  };\n',
    "align/option_reader.cpp": 'Reduction read_reduction(OptionReader& read) {\n  return read.choice("reduction", {"mean"}, 0);\n}\n',
    "align/objectives/sft.cpp": 'make({.reduction = read_reduction(read)});\n',
    "align/objectives/x.cpp": 'make({.beta = read.non_negative("beta", 1), .b = read.number("b", 2)});\n',
    "docs/objectives/README.md": "# Objectives\n\n[a](sft.md) [b](x.md), [c](x.md#what-it-is), `[d](e)`\n",
    "docs/objectives/sft.md": "| `reduction` |\n",
    "docs/objectives/x.md": "## What `it` is\n\n`beta` and `b`, [top](../../README.md), [web](https://example.org)\n",
    "README.md": "[docs](docs/objectives/README.md)\n",
}


def changed(name, text):
    return {**{path: body for path, body in TREE.items() if path != name}, **({name: text} if text is not None else {})}


BAD = {
    "a page is missing": changed("docs/objectives/sft.md", None),
    "a page is not linked": changed("docs/objectives/README.md", "[a](sft.md) [b](x.md#what-it-is)"),
    "a key is missing": changed("docs/objectives/x.md", "## What it is\n\n`beta`"),
    "a shared key is missing": changed("docs/objectives/sft.md", "reduction"),
    "a table without entries": changed("align/objective.cpp", ""),
    "a link to nowhere": changed("README.md", "[docs](docs/objectives.md)\n"),
    "a picture that is not there": changed("README.md", "![docs](docs/a.png)\n"),
    "a heading that is not there": changed("README.md", "[docs](docs/objectives/x.md#what)\n"),
}


def main():
    report = Report()
    report.check(violations(source_root()))
    report.check(finds(violations, TREE), "a good tree: ")
    for what, files in BAD.items():
        report.expect(finds(violations, files), f"finds nothing though {what}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
