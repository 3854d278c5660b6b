"""Compares what `plumb objective --batch DIR` wrote with what PyTorch expects.

    python check_objective_cases.py DIR [--skip dspo,mapo] [--show 40]

Outputs that are not expected (a logit of dspo_e, say) are let pass. The exit status is 1 when a case failed or none passed.
"""
from check_cases import run

if __name__ == "__main__":
    raise SystemExit(run(__doc__, number="case", name="objective", settings="set", extra_outputs=True))
