"""Writes objective cases with expected results from PyTorch, for `plumb objective --batch DIR` or as the committed sample.

    python make_objective_cases.py --out DIR [--count 400] [--seed 0] [--objectives sft,ddspo]
    python make_objective_cases.py --packed tests/golden/objectives

Relative error allowed: 1e-10 in float64, 1e-4 in float32. The margin of a pair is a difference of nearly equal errors, multiplied by
beta, so the logit may also be off by 8 roundings of the largest error times beta; loss and gradient may be off by twice what that does
to them.
"""
import argparse

import torch

import case_files
import objectives
from draw import Draw

RELATIVE = {torch.float64: 1e-10, torch.float32: 1e-4}


def option_sets(name):
    """Settings to try, the defaults first."""
    def with_reduction(*sets):
        return [s for s in sets] + [{**s, "reduction": "sum"} for s in sets[:2]]
    return {
        "sft": with_reduction({}),
        "diffusion_dpo": with_reduction({}, {"beta": 1.0}, {"beta": 2000.0}, {"beta": 0.15}),
        "ddspo": with_reduction({}, {"beta": 2.0}, {"loss_weight": "linear"}, {"beta": 2.0, "loss_weight": "linear", "T": 100}, {"beta": 8000.0}),
        "self_dpo": with_reduction({}, {"beta": 2.0}, {"lambda1": 0.0, "lambda2": 1.0}, {"beta": 2.0, "lambda1": 0.25}),
        "diffusion_kto": with_reduction({}, {"beta": 1.0}, {"beta": 1.0, "offset": "balanced"}, {"beta": 1.0, "offset": "mismatched"},
                                        {"beta": 1.0, "utility": "loss_averse"}, {"beta": 1.0, "utility": "risk_seeking"}),
        "mapo": with_reduction({}, {"T": 10}, {"b": 0.01, "T": 1}),
        "dspo": with_reduction({}, {"temperature": 2.0}, {"lambda": 0.5, "temperature": 5000.0}, {"lambda": 0.0}, {"beta": 1.0, "gamma": 0.5},
                               {"beta": 1.0, "detach_weight": True}, {"beta": 0.5, "time_weights": "paper"}),
        "dspo_ref": with_reduction({}, {"lambda": 0.5, "temperature": 2.0}),
        "dspo_e": with_reduction({}, {"lambda": 0.5}, {"beta": 0.05, "gamma": 2.0}),
        "dspo_xl": [{}, {"beta": 2.0}, {"beta": 1000.0}],
    }[name]


def make_inputs(draw, name, options, kind, small, turn):
    """kind: near (pred close to ref, as in training), far, equal (student = reference), extreme (saturated logits)."""
    pairs = draw.pick(1, 2, 3) if small else draw.pick(1, 2, 3, 5, 8)
    rest = draw.pick([2], [2], [2, 3, 1] if small else [4, 5, 3], [7])
    shape, dtype = [2 * pairs] + rest, draw.pick(torch.float64, torch.float32)
    noise = draw.normal([pairs] + rest)
    own = draw.chance(0.5) or name == "ddspo"  # policy targets differ between the branches; forward targets are shared
    target = torch.cat([noise, draw.normal([pairs] + rest) if own else noise])
    ref = target + draw.normal(shape, scale=0.7)
    scale = {"near": 0.01, "far": 0.7, "equal": 0.0, "extreme": 300.0}[kind]
    pred = ref + draw.normal(shape, scale=scale)
    inputs = {"pred": pred.to(dtype), "ref": ref.to(dtype), "target": target.to(dtype)}
    if kind == "equal":
        inputs["pred"] = inputs["ref"].clone()
    if name in ("sft", "mapo") and draw.chance(0.5):
        del inputs["ref"]  # not needed
    steps = options.get("T", 1000)
    if "loss_weight" in options or "time_weights" in options or draw.chance(0.2):
        half = draw.integers([pairs], 0, steps)
        inputs["timesteps"] = draw.plant(torch.cat([half, half]), [0, steps - 1], 0.0)
        if pairs > 1:
            inputs["timesteps"][0] = inputs["timesteps"][pairs] = 0
    if "time_weights" in options:
        betas = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000, dtype=torch.float64) ** 2
        inputs["alphas_cumprod"] = torch.cumprod(1 - betas, 0).to(dtype)
    if name == "diffusion_kto":
        labels = torch.where(draw.uniform([2 * pairs], 0, 1) < 0.5, 1, -1)
        labels[0], labels[-1] = 1, -1
        inputs["labels"] = labels.to(draw.pick(dtype, torch.int64))
        if options.get("offset") == "mismatched":
            inputs["ref_roll"] = (target + draw.normal(shape, scale=0.9)).to(dtype)
            inputs["pred_roll"] = (inputs["ref_roll"].double() + draw.normal(shape, scale=scale)).to(dtype)
    if turn % 3 == 1 and name not in ("sft", "dspo_e"):  # those two have no logit
        # A generator of its own: the cases after this one stay what they were before there were logit factors.
        own = torch.Generator().manual_seed(turn)
        inputs["logit_scale"] = (1 + torch.rand(2 * pairs if name == "diffusion_kto" else pairs, generator=own, dtype=torch.float64)).to(dtype)
    return inputs


def tolerances(name, options, inputs, out, o):
    """name -> [absolute, relative]; without implicit_accuracy when a logit is too near zero for its sign to be certain."""
    dtype = inputs["pred"].dtype
    relative, eps = RELATIVE[dtype], torch.finfo(dtype).eps
    deviation = max(float((inputs[k].double() - inputs["target"].double()).abs().max()) for k in ("pred", "ref") if k in inputs)
    per_sample = inputs["pred"][0].numel() if o["reduction"] == "sum" else 1
    # MaPO's logit is a bounded function of each error, so only their relative rounding counts: |u phi'(u)| < 0.3.
    largest_error = 0.3 if name == "mapo" else per_sample * deviation ** 2
    logit = 8 * eps * o["sensitivity"] * largest_error
    exact = "ref" in inputs and torch.equal(inputs["pred"], inputs["ref"])
    moved = [objectives.evaluate(name, options, inputs, shift)[0] for shift in (-logit, logit)] if logit else []
    result = {}
    for key in ("loss", "grad_pred"):
        effect = max([float((other[key] - out[key]).abs().max()) for other in moved], default=0.0)
        # The largest element counts: what cancels elsewhere is no better known.
        result[key] = [relative * float(out[key].abs().max()) + 2 * effect + torch.finfo(dtype).tiny, relative]
    if "logit" in out:
        result["logit"] = [logit, relative]
        if exact or bool((out["logit"].abs() > 4 * logit).all()):
            result["implicit_accuracy"] = [2 * eps, 0.0]
    return result


def make_cases(names, count, seed, small):
    draw = Draw(seed, small)
    kinds = ["near", "far", "equal", "extreme"]
    for n in range(count):
        name = names[n % len(names)]
        turn = n // len(names)
        options = option_sets(name)[turn % len(option_sets(name))]
        kind = kinds[(turn + turn // 4) % 4]
        inputs = make_inputs(draw, name, options, kind, small, turn)
        out, filled = objectives.evaluate(name, options, inputs)
        tol = tolerances(name, options, inputs, out, filled)
        expected = {key: value.to(inputs["pred"].dtype) for key, value in out.items() if key in tol}
        yield {"case": n, "objective": name, "set": options}, {"kind": kind, "tolerance": tol}, inputs, expected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    case_files.add_arguments(parser)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--objectives", help="comma-separated; all by default")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    names = arguments.objectives.split(",") if arguments.objectives else list(objectives.DEFAULTS)
    small = arguments.packed is not None
    cases = make_cases(names, arguments.count or (120 if small else 400), arguments.seed, small)
    case_files.write(arguments, cases, {"made_by": "tests/golden/make_objective_cases.py", "seed": arguments.seed}, "case")


if __name__ == "__main__":
    main()
