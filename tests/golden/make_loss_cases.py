"""Writes min-SNR weights and weighted losses as diffusers' training scripts compute them.

    python make_loss_cases.py --packed tests/golden/losses
"""
import argparse
import pathlib

import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr

import case_files

generator = torch.Generator().manual_seed(23)
SCHEDULES = {"sd": {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
             "linear": {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}}
TIMESTEPS = torch.tensor([0, 1, 17, 250, 499, 750, 981, 999])


def weights(scheduler, kind, gamma):
    """As train_text_to_image does; `sample` as the paper says, which the script leaves out."""
    snr = compute_snr(scheduler, TIMESTEPS)
    least = torch.stack([snr, gamma * torch.ones_like(snr)], dim=1).min(dim=1)[0]
    return {"epsilon": least / snr, "v_prediction": least / (snr + 1), "sample": least}[kind]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    entries, tensors = [], {}
    for name, settings in SCHEDULES.items():
        scheduler = DDPMScheduler(**settings)
        x0, noise, output = (torch.randn((len(TIMESTEPS), 3, 2, 4), generator=generator) for _ in range(3))
        targets = {"epsilon": noise, "sample": x0, "v_prediction": scheduler.get_velocity(x0, noise, TIMESTEPS)}
        for kind, target in targets.items():
            for gamma in (1.0, 5.0):
                case = f"{name}_{kind}_{gamma:g}"
                weight = weights(scheduler, kind, gamma)
                error = ((output - target) ** 2).mean(dim=(1, 2, 3))
                for what, tensor in (("x0", x0), ("noise", noise), ("output", output), ("t", TIMESTEPS), ("weights", weight),
                                     ("loss", (error * weight).mean().reshape(1))):
                    tensors[f"{case}.{what}"] = tensor
                entries.append({"case": case, "kind": "min_snr", "prediction": kind, "gamma": gamma, **settings})
    header = {"made_by": "tests/golden/make_loss_cases.py", "versions": case_files.versions("diffusers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
