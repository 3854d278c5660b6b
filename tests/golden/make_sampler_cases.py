"""Writes what diffusers' schedulers do: defaults of their configurations, noise schedules, timesteps and whole trajectories.

    python make_sampler_cases.py --packed tests/golden/samplers

Trajectories are of a fixed nonlinear "network" that the tests evaluate too. Everything is float32, as diffusers computes it.
"""
import argparse
import json
import pathlib

import diffusers
import torch

import case_files

CLASSES = ["DDPMScheduler", "DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler",
           "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler"]
SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def saved(scheduler):
    """The configuration as diffusers writes it; Python's -Infinity, which JSON lacks, is left out."""
    config = json.loads(scheduler.to_json_string(), parse_constant=lambda _: None)
    return {key: value for key, value in config.items() if value is not None or key == "trained_betas"}


def defaults(entries, tensors):
    for name in CLASSES:
        entries.append({"case": f"defaults_{name}", "kind": "defaults", "config": saved(getattr(diffusers, name)())})


def betas(entries, tensors):
    """Cumulative products of schedules that the others do not cover."""
    settings = {
        "sigmoid": ("DDPMScheduler", {"beta_schedule": "sigmoid", "num_train_timesteps": 400}),
        "zero_snr": ("DDIMScheduler", {**SD, "rescale_betas_zero_snr": True, "num_train_timesteps": 400}),
        "zero_snr_linear": ("DDPMScheduler", {"rescale_betas_zero_snr": True, "num_train_timesteps": 150}),
        "trained": ("DDIMScheduler", {"trained_betas": [0.001, 0.25, 0.0625, 0.3, 0.05], "num_train_timesteps": 5}),
    }
    for name, (kind, options) in settings.items():
        scheduler = getattr(diffusers, kind)(**options)
        tensors[f"betas_{name}.alphas_cumprod"] = scheduler.alphas_cumprod
        entries.append({"case": f"betas_{name}", "kind": "betas", "config": saved(scheduler)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for part in (defaults, betas):
        part(entries, tensors)
    header = {"made_by": "tests/golden/make_sampler_cases.py", "versions": case_files.versions("diffusers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
