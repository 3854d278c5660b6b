"""Compares what `plumb op --batch DIR` wrote with what PyTorch expects.

    python check_op_cases.py DIR [--skip op,op] [--show 20]

Reads DIR/expected.json, N.expected.safetensors and N.out.safetensors. A missing or extra tensor, a missing file, another dtype or
shape, and an element outside its tolerance (case.py says how it is made) are failures. Ops given by --skip are counted apart.
The exit status is 1 when a case failed or none passed.
"""
import argparse
import collections
import json
import pathlib

import safetensors_file
from case import mismatch


def check(folder, entry):
    """Returns a list of sentences, empty when the case passed."""
    n = entry["n"]
    path = folder / f"{n}.out.safetensors"
    if not path.exists():
        return ["no output file"]
    try:
        got = safetensors_file.load(path)
    except (ValueError, KeyError) as error:
        return [f"unreadable output: {error}"]
    want = safetensors_file.load(folder / f"{n}.expected.safetensors")
    problems = [f"{name}: missing" for name in want if name not in got]
    problems += [f"{name}: not expected" for name in got if name not in want]
    for name in want:
        if name in got:
            problem = mismatch(got[name], want[name], entry["tolerance"][name])
            if problem:
                problems.append(f"{name}: {problem}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--skip", default="")
    parser.add_argument("--show", type=int, default=40)
    arguments = parser.parse_args()
    skip = set(filter(None, arguments.skip.split(",")))
    entries = json.loads((arguments.folder / "expected.json").read_text())["cases"]
    attrs = {case["n"]: case["attrs"] for case in json.loads((arguments.folder / "cases.json").read_text())}
    counts, failed_ops, shown = collections.Counter(), collections.Counter(), 0
    for entry in entries:
        if entry["op"] in skip:
            counts["skipped"] += 1
            continue
        problems = check(arguments.folder, entry)
        counts["failed" if problems else "passed"] += 1
        if problems:
            failed_ops[entry["op"]] += 1
            if shown < arguments.show:
                shown += 1
                given = safetensors_file.load(arguments.folder / f"{entry['n']}.in.safetensors")
                operands = ", ".join(f"{name} {str(t.dtype)[6:]}{list(t.shape)}" for name, t in given.items())
                print(f"case {entry['n']} {entry['op']} {json.dumps(attrs[entry['n']])} ({operands})")
                for problem in problems:
                    print(f"    {problem}")
    for op, count in failed_ops.most_common():
        print(f"{op}: {count} failed")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
