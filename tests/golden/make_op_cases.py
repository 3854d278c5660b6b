"""Writes op cases with expected results from PyTorch, for `plumb op --batch DIR` or as the committed sample.

    python make_op_cases.py --out DIR [--count 1200] [--seed 0] [--ops add,softmax]
    python make_op_cases.py --packed tests/golden/ops [--count 312] [--seed 0]

The layout of both is in README.md beside this file. Needs PyTorch; the committed sample is read without it.
"""
import argparse
import json
import pathlib
import platform
import warnings

import torch

import ops_elementwise
import ops_linear
import ops_reduce
import ops_shape
import safetensors_file
from case import evaluate
from draw import Draw

OPS = {**ops_elementwise.OPS, **ops_reduce.OPS, **ops_linear.OPS, **ops_shape.OPS}


def versions():
    import numpy
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}


def make_cases(names, count, seed, small):
    """Yields (entry, inputs, expected): the ops in turn, so that every count covers them evenly."""
    draws = {name: Draw(seed * 1000003 + 7919 * i, small) for i, name in enumerate(names)}
    for n in range(count):
        name = names[n % len(names)]
        draw = draws[name]
        case = OPS[name](draw)
        inputs, expected, tolerances = evaluate(case, draw.generator)
        entry = {"n": n, "op": case.op, "attrs": case.attrs, "grad": case.grad}
        yield entry, {"k": case.k, "length": case.length, "tolerance": tolerances}, inputs, expected


def write_batch(out, cases, header):
    out.mkdir(parents=True, exist_ok=True)
    entries, checks = [], []
    for entry, check, inputs, expected in cases:
        n = entry["n"]
        safetensors_file.save(out / f"{n}.in.safetensors", inputs)
        safetensors_file.save(out / f"{n}.expected.safetensors", expected)
        entries.append(entry)
        checks.append({"n": n, "op": entry["op"], **check})
    (out / "cases.json").write_text(json.dumps(entries, indent=0, allow_nan=False) + "\n")
    (out / "expected.json").write_text(json.dumps({**header, "cases": checks}, indent=0, allow_nan=False) + "\n")
    return len(entries)


def write_packed(out, cases, header):
    out.mkdir(parents=True, exist_ok=True)
    entries, tensors = [], {}
    for entry, check, inputs, expected in cases:
        entries.append({**entry, **check})
        tensors.update({f"{entry['n']}.in.{name}": tensor for name, tensor in inputs.items()})
        tensors.update({f"{entry['n']}.out.{name}": tensor for name, tensor in expected.items()})
    lines = ",\n".join(json.dumps(entry, separators=(",", ":"), allow_nan=False) for entry in entries)
    head = json.dumps(header)[1:-1]
    (out / "cases.json").write_text("{" + head + ', "cases": [\n' + lines + "\n]}\n")
    safetensors_file.save(out / "cases.safetensors", tensors)
    return len(entries)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=pathlib.Path, help="folder for one pair of files a case")
    where.add_argument("--packed", type=pathlib.Path, help="folder for the two files of the committed sample")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ops", help="comma-separated; all by default")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # var of one element warns and returns the NaN that we want
    names = arguments.ops.split(",") if arguments.ops else sorted(OPS)
    header = {"made_by": "tests/golden/make_op_cases.py", "seed": arguments.seed, "versions": versions()}
    small = arguments.packed is not None
    count = arguments.count or (312 if small else 1200)
    cases = make_cases(names, count, arguments.seed, small)
    written = write_packed(arguments.packed, cases, header) if small else write_batch(arguments.out, cases, header)
    print(f"{written} cases of {len(names)} ops in {arguments.packed or arguments.out}")


if __name__ == "__main__":
    main()
