"""Writes trajectories of transformers' Adafactor with a rate that is set from outside.

    python make_adafactor_cases.py --packed tests/golden/adafactor
"""
import argparse
import pathlib

import torch
from transformers.optimization import Adafactor

import case_files

STEPS = 6
# A vector, a matrix, one of a single row, three dimensions, a kernel of a convolution, one of a single pixel.
SHAPES = {"vector": [5], "matrix": [3, 7], "row": [1, 6], "cube": [2, 3, 5], "kernel": [4, 3, 3, 2], "pixel": [3, 2, 1, 1]}
SETTINGS = [
    {}, {"scale_parameter": True}, {"weight_decay": 0.1}, {"beta1": 0.9},
    {"eps": [1e-3, 0.9], "clip_threshold": 0.3, "decay_rate": -0.5, "scale_parameter": True, "weight_decay": 0.3, "beta1": 0.5},
]
generator = torch.Generator().manual_seed(70)


def randn(shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def trajectory(case, options, dtype, tensors):
    """Gradients differ in size by orders of magnitude from step to step, and between rows; one step has none but zeros."""
    scales = torch.tensor([1.0, 1e-4, 1e-8, 0.0, 1e3, 1.0], dtype=torch.float64)
    rates = [1e-2 * min(1.0, (i + 1) / 4) for i in range(STEPS)]
    parameters = {key: randn(shape).to(dtype).requires_grad_(True) for key, shape in SHAPES.items()}
    gradients = {key: randn([STEPS, *shape]) * scales.reshape([-1] + [1] * len(shape)) for key, shape in SHAPES.items()}
    gradients["matrix"][:, 0] *= 100
    gradients = {key: gradient.to(dtype) for key, gradient in gradients.items()}
    tensors.update({f"{case}.{key}.initial": value.detach().clone() for key, value in parameters.items()})
    optimiser = Adafactor(list(parameters.values()), lr=1e-2, **{"scale_parameter": False, "relative_step": False, **options})
    values = {key: [] for key in parameters}
    for i in range(STEPS):
        optimiser.param_groups[0]["lr"] = rates[i]
        for key, parameter in parameters.items():
            parameter.grad = gradients[key][i].clone()
        optimiser.step()
        for key, parameter in parameters.items():
            values[key].append(parameter.detach().clone())
    for key, parameter in parameters.items():
        tensors[f"{case}.{key}.gradients"], tensors[f"{case}.{key}.values"] = gradients[key], torch.stack(values[key])
        for name, state in optimiser.state[parameter].items():
            if name.startswith("exp_avg"):
                tensors[f"{case}.state.{name}.{key}"] = state.clone()
    return {"case": case, "kind": "adafactor", "options": options, "lr": rates}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tensors = {}
    entries = [
        trajectory(f"adafactor{index}_{name}", options, dtype, tensors)
        for index, options in enumerate(SETTINGS)
        for name, dtype in (("f64", torch.float64), ("f32", torch.float32))
        if name == "f64" or index in (0, 4)
    ]
    header = {"made_by": "tests/golden/make_adafactor_cases.py", "versions": case_files.versions("transformers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
