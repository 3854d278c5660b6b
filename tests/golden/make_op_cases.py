"""Writes op cases with expected results from PyTorch, for `plumb op --batch DIR` or as the committed sample.

    python make_op_cases.py --out DIR [--count 1200] [--seed 0] [--ops add,softmax]
    python make_op_cases.py --packed tests/golden/ops [--count 388] [--seed 0]

The layout of both is in README.md beside this file. Needs PyTorch; the committed sample is read without it.
"""
import argparse
import warnings

import torch

import case_files
import ops_attention
import ops_elementwise
import ops_image
import ops_linear
import ops_reduce
import ops_resize
import ops_shape
from case import evaluate
from draw import Draw

OPS = {**ops_attention.OPS, **ops_elementwise.OPS, **ops_reduce.OPS, **ops_linear.OPS, **ops_image.OPS, **ops_resize.OPS,
       **ops_shape.OPS}


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    case_files.add_arguments(parser)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ops", help="comma-separated; all by default")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # var of one element warns and returns the NaN that we want
    names = arguments.ops.split(",") if arguments.ops else sorted(OPS)
    small = arguments.packed is not None
    cases = make_cases(names, arguments.count or (388 if small else 1200), arguments.seed, small)
    case_files.write(arguments, cases, {"made_by": "tests/golden/make_op_cases.py", "seed": arguments.seed}, "n")


if __name__ == "__main__":
    main()
