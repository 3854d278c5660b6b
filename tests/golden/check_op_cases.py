"""Compares what `plumb op --batch DIR` wrote with what PyTorch expects.

    python check_op_cases.py DIR [--skip op,op] [--show 40]

The exit status is 1 when a case failed or none passed.
"""
from check_cases import run

if __name__ == "__main__":
    raise SystemExit(run(__doc__, number="n", name="op", settings="attrs", extra_outputs=False))
