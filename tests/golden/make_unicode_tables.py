"""Writes nn/clip/unicode_tables.cpp: what the tokenizer of CLIP asks about characters, as the reference answers it.

    python make_unicode_tables.py --out nn/clip

Letters, numbers and lower case come from the tokenizers package itself (its regular expressions and its normaliser follow a newer Unicode than
Python's); decompositions and combining classes from Python's unicodedata, where that package agrees.
"""
import argparse
import pathlib
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

CODES = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def members(pattern):
    split = pre_tokenizers.Split(Regex(pattern), behavior="removed")
    return [code for code in CODES if not split.pre_tokenize_str(chr(code))]


def ranges(codes, value=lambda code: ()):
    """[first, last, value...] of runs of neighbours with one value."""
    runs = []
    for code in codes:
        if runs and runs[-1][1] == code - 1 and runs[-1][2:] == list(value(code)):
            runs[-1][1] = code
        else:
            runs.append([code, code, *value(code)])
    return runs


def lower_case():
    """Runs [first, last, step, difference], and the characters that become two: [code, first, second]."""
    lowercase, runs, pairs = normalizers.Lowercase(), [], []
    for code in CODES:
        lower = [ord(each) for each in lowercase.normalize_str(chr(code))]
        if lower == [code]:
            continue
        if len(lower) > 1:
            assert len(lower) == 2
            pairs.append([code, *lower])
            continue
        delta = lower[0] - code
        last = runs[-1] if runs else None
        if last and last[3] == delta and (code - last[1] == last[2] or (last[0] == last[1] and code - last[1] <= 2)):
            last[1], last[2] = code, code - last[1]
        else:
            runs.append([code, code, 1, delta])
    return runs, pairs


def decompositions():
    """[code, first, second or 0, composes]: one canonical step; Hangul follows from arithmetic."""
    reference = normalizers.NFC()
    for code in CODES:
        assert reference.normalize_str(chr(code)) == unicodedata.normalize("NFC", chr(code))
        parts = unicodedata.decomposition(chr(code))
        if not parts or parts.startswith("<"):
            continue
        first, second = ([int(part, 16) for part in parts.split()] + [0])[:2]
        composes = second != 0 and unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(code)
        yield [code, first, second, int(composes)]


def combining_class(code):
    """Python's, but 0 where the reference, whose tables are of another version, does not move the mark past one of the highest or the lowest class."""
    given, reference = unicodedata.combining(chr(code)), normalizers.NFC()
    highest, lowest = "\u0345", "\u0334"
    moves = given > 1 and reference.normalize_str(chr(code) + lowest) != chr(code) + lowest or given < 240 and reference.normalize_str(highest + chr(code)) != highest + chr(code)
    return given if moves else 0


def table(name, kind, rows):
    lines, line = [f"constexpr {kind} {name}Data[] = {{"], ""
    for row in rows:
        item = "{" + ",".join(f"0x{v:X}" if v > 9 else str(v) for v in row) + "},"
        if len(line) + len(item) > 215:
            lines.append(line)
            line = ""
        line += item
    return lines + [line, "};"], f"const std::span<const {kind}> {name}{{{name}Data}};"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    runs, pairs = lower_case()
    classes = {code: combining_class(code) for code in CODES if unicodedata.combining(chr(code))}
    classes = {code: value for code, value in classes.items() if value}
    tables = [
        table("kSpaces", "CodeRange", ranges(members(r"\s"))),
        table("kNumbers", "CodeRange", ranges(members(r"\p{N}"))),
        table("kLetters", "CodeRange", ranges(members(r"\p{L}"))),
        table("kLowerRuns", "LowerRun", runs),
        table("kLowerPairs", "LowerPair", pairs),
        table("kCombining", "CombiningRange", ranges(classes, lambda code: (classes[code],))),
        table("kDecompositions", "Decomposition", decompositions()),
    ]
    head = f'// Made by tests/golden/make_unicode_tables.py: tokenizers {tokenizers.__version__}, Unicode {unicodedata.unidata_version} for normalisation.'
    text = [head, '#include "nn/clip/unicode_tables.h"', "", "namespace plumb {", "namespace {", "// clang-format off"]
    for lines, _ in tables:
        text += lines
    text += ["// clang-format on", "}  // namespace", ""] + [declaration for _, declaration in tables] + ["", "}  // namespace plumb", ""]
    (arguments.out / "unicode_tables.cpp").write_text("\n".join(text))


if __name__ == "__main__":
    main()
