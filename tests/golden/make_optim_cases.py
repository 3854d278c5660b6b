"""Writes trajectories of torch's optimisers, gradient clipping, diffusers' EMA and learning-rate schedules.

    python make_optim_cases.py --packed tests/golden/optim
"""
import argparse
import math
import pathlib

import torch
from diffusers.optimization import get_polynomial_decay_schedule_with_warmup, get_scheduler
from diffusers.training_utils import EMAModel

import case_files

STEPS = 10
SHAPES = {"a": [5], "b": [3, 2]}
generator = torch.Generator().manual_seed(30)


def randn(shape, dtype=torch.float64):
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def optimisers(entries, tensors):
    """Ten steps from given gradients, which differ in size by orders of magnitude so that epsilon and second moments matter."""
    settings = [
        ("sgd", torch.optim.SGD, {"lr": 0.1}), ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
        ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}), ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05}),
        ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05, "nesterov": True}),
        ("adam", torch.optim.Adam, {"lr": 1e-2}), ("adam", torch.optim.Adam, {"lr": 1e-2, "betas": [0.8, 0.95], "eps": 1e-3}),
        ("adam", torch.optim.Adam, {"lr": 1e-2, "weight_decay": 0.1}),
        ("adamw", torch.optim.AdamW, {"lr": 1e-2, "weight_decay": 0.01}), ("adamw", torch.optim.AdamW, {"lr": 1e-2, "betas": [0.9, 0.95], "eps": 1e-6, "weight_decay": 0.3}),
        ("adamw", torch.optim.AdamW, {"lr": 1e-2, "weight_decay": 0.0}),
    ]
    scales = torch.tensor([1.0, 1e-4, 10.0, 1e-8, 1.0, 0.0, 1.0, 1.0, 1e3, 1.0], dtype=torch.float64)
    for index, (name, make, options) in enumerate(settings):
        for dtype in (torch.float64, torch.float32):
            case = f"{name}{index}_{'f64' if dtype == torch.float64 else 'f32'}"
            warm = index % 3 == 0  # a learning rate that changes every step
            rates = [options["lr"] * (min(1.0, (i + 1) / 4) if warm else 1.0) for i in range(STEPS)]
            parameters = {key: randn(shape, dtype).requires_grad_(True) for key, shape in SHAPES.items()}
            gradients = {key: (randn([STEPS, *shape]) * scales.reshape([-1] + [1] * len(shape))).to(dtype) for key, shape in SHAPES.items()}
            tensors.update({f"{case}.{key}.initial": value.detach().clone() for key, value in parameters.items()})
            optimiser = make(list(parameters.values()), **options)
            values = {key: [] for key in parameters}
            for i in range(STEPS):
                optimiser.param_groups[0]["lr"] = rates[i]
                for key, parameter in parameters.items():
                    parameter.grad = gradients[key][i].clone()
                optimiser.step()
                for key, parameter in parameters.items():
                    values[key].append(parameter.detach().clone())
            for key in parameters:
                tensors[f"{case}.{key}.gradients"], tensors[f"{case}.{key}.values"] = gradients[key], torch.stack(values[key])
            entries.append({"case": case, "kind": "optimiser", "optimiser": name, "options": options, "lr": rates})


def clipping(entries, tensors):
    for index, (scale, max_norm) in enumerate([(1.0, 1.0), (0.01, 1.0), (1e4, 0.5), (0.0, 1.0), (1.0, 3.0)]):
        parameters = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES.values()]
        for parameter in parameters:
            parameter.grad = randn(parameter.shape) * scale
        case = f"clip{index}"
        for key, parameter in zip(SHAPES, parameters):
            tensors[f"{case}.{key}.gradient"] = parameter.grad.clone()
        tensors[f"{case}.norm"] = torch.nn.utils.clip_grad_norm_(parameters, max_norm).reshape(1)
        for key, parameter in zip(SHAPES, parameters):
            tensors[f"{case}.{key}.clipped"] = parameter.grad
        entries.append({"case": case, "kind": "clip", "max_norm": max_norm})


def ema(entries, tensors):
    for index, options in enumerate([{}, {"decay": 0.995}, {"use_ema_warmup": True}, {"use_ema_warmup": True, "inv_gamma": 2.0, "power": 0.75, "decay": 0.9},
                                     {"update_after_step": 3, "min_decay": 0.3}]):
        parameter = torch.nn.Parameter(randn([4]))
        model = EMAModel([parameter], foreach=False, **options)
        case = f"ema{index}"
        tensors[f"{case}.initial"] = parameter.detach().clone()
        values, shadows = [], []
        for _ in range(STEPS):
            with torch.no_grad():
                parameter.add_(randn([4]))
            model.step([parameter])
            values.append(parameter.detach().clone())
            shadows.append(model.shadow_params[0].clone())
        tensors[f"{case}.values"], tensors[f"{case}.shadows"] = torch.stack(values), torch.stack(shadows)
        # decays[i] is get_decay(i), the decay of the i-th update counted from 1; far steps show the limits.
        steps = [*range(31), 100, 1000, 100000, 10000000]
        tensors[f"{case}.decay_steps"] = torch.tensor(steps)
        tensors[f"{case}.decays"] = torch.tensor([model.get_decay(i) for i in steps], dtype=torch.float64)
        entries.append({"case": case, "kind": "ema", "options": {"decay": 0.9999, "min_decay": 0.0, "update_after_step": 0, "use_ema_warmup": False, "inv_gamma": 1.0,
                                                                 "power": 2 / 3, **options}})


def rates(entries, tensors):
    """lr[i] is the rate of the i-th optimiser step counted from 0, for a base rate of 2e-3."""
    base = 2e-3
    for name, options in [("constant", {}), ("constant_with_warmup", {"num_warmup_steps": 5}), ("constant_with_warmup", {"num_warmup_steps": 0}),
                          ("linear", {"num_warmup_steps": 5, "num_training_steps": 20}), ("linear", {"num_warmup_steps": 0, "num_training_steps": 20}),
                          ("cosine", {"num_warmup_steps": 5, "num_training_steps": 20}), ("cosine", {"num_warmup_steps": 0, "num_training_steps": 20}),
                          ("cosine_with_restarts", {"num_warmup_steps": 4, "num_training_steps": 20, "num_cycles": 3}),
                          ("polynomial", {"num_warmup_steps": 5, "num_training_steps": 20, "power": 1.0}), ("polynomial", {"num_warmup_steps": 3, "num_training_steps": 20, "power": 2.0}),
                          ("inverse_sqrt", {"num_warmup_steps": 5}), ("inverse_sqrt", {"num_warmup_steps": 1})]:
        case = f"lr{len(entries)}_{name}"
        if name == "inverse_sqrt":
            # Linear warm-up, then base * sqrt(warm-up / step): continuous at the end of the warm-up.
            warm = options["num_warmup_steps"]
            values = [base * (i / warm if i < warm else math.sqrt(warm / i)) for i in range(25)]
        else:
            optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
            scheduler = get_polynomial_decay_schedule_with_warmup(optimiser, **options) if name == "polynomial" else get_scheduler(name, optimiser, **options)
            values = []
            for _ in range(25):
                values.append(scheduler.get_last_lr()[0])
                optimiser.step()
                scheduler.step()
        tensors[f"{case}.lr"] = torch.tensor(values, dtype=torch.float64)
        entries.append({"case": case, "kind": "lr", "schedule": name, "base": base, "options": {**options, **({"lr_end": 1e-7} if name == "polynomial" else {})}})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for part in (optimisers, clipping, ema, rates):
        part(entries, tensors)
    header = {"made_by": "tests/golden/make_optim_cases.py", "versions": case_files.versions("diffusers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
