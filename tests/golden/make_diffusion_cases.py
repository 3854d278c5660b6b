"""Writes noise schedules, forward process, samplers and time embeddings as diffusers computes them.

    python make_diffusion_cases.py --packed tests/golden/diffusion

diffusers keeps its schedules in float32. The schedules are stored as it has them (`alphas_cumprod`) and recomputed by NumPy in float64
(`alphas_cumprod_f64`); for the samplers and conversions diffusers is given the float64 schedule, so that the steps are exact to
float64 and a float32 schedule may be compared at float32 accuracy.
"""
import argparse
import pathlib

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from diffusers.models.embeddings import get_timestep_embedding
from diffusers.schedulers import scheduling_ddpm

import case_files

SCHEDULES = {
    "toy": {"beta_schedule": "linear", "beta_start": 1e-3, "beta_end": 0.2, "num_train_timesteps": 100},
    "sd": {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "num_train_timesteps": 1000},
    "cosine": {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 1000},
}
generator = torch.Generator().manual_seed(20)


def randn(*shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def betas_f64(beta_schedule, num_train_timesteps, beta_start=None, beta_end=None):
    """The definitions, in NumPy float64."""
    count = num_train_timesteps
    if beta_schedule == "linear":
        return np.linspace(beta_start, beta_end, count)
    if beta_schedule == "scaled_linear":
        return np.linspace(beta_start ** 0.5, beta_end ** 0.5, count) ** 2
    def bar(u):
        return np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
    steps = np.arange(count)
    return np.minimum(1 - bar((steps + 1) / count) / bar(steps / count), 0.999)


def alphas_f64(name):
    return torch.from_numpy(np.cumprod(1 - betas_f64(**SCHEDULES[name])))


def exact(scheduler, name):
    """Gives a scheduler the float64 schedule."""
    scheduler.alphas_cumprod = alphas_f64(name)
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)
    if isinstance(scheduler, DDIMScheduler):
        scheduler.final_alpha_cumprod = scheduler.one if scheduler.config.set_alpha_to_one else scheduler.alphas_cumprod[0]
    return scheduler


def schedules(entries, tensors):
    for name, options in SCHEDULES.items():
        scheduler = DDPMScheduler(**options, clip_sample=False)
        tensors[f"schedule_{name}.alphas_cumprod"] = scheduler.alphas_cumprod
        tensors[f"schedule_{name}.alphas_cumprod_f64"] = alphas_f64(name)
        entries.append({"case": f"schedule_{name}", "kind": "schedule", "schedule": name, **options})


def forward_process(entries, tensors):
    """x_t, v, and each of eps, x0, v recovered from each other at the same x_t."""
    for name in SCHEDULES:
        scheduler = exact(DDPMScheduler(**SCHEDULES[name]), name)
        steps = SCHEDULES[name]["num_train_timesteps"]
        t = torch.tensor([0, 1, steps // 3, steps // 2, steps - 2, steps - 1])
        x0, noise = randn(len(t), 2), randn(len(t), 2)
        case = f"forward_{name}"
        tensors.update({f"{case}.{key}": value for key, value in {
            "timesteps": t, "x0": x0, "noise": noise,
            "x_t": scheduler.add_noise(x0, noise, t), "velocity": scheduler.get_velocity(x0, noise, t)}.items()})
        # A prediction that is not the truth, read as each of the three kinds; float64 algebra written out.
        a = scheduler.alphas_cumprod[t].reshape(-1, 1)
        x_t, prediction = tensors[f"{case}.x_t"], randn(len(t), 2)
        tensors[f"{case}.prediction"] = prediction
        clean = {"epsilon": (x_t - (1 - a).sqrt() * prediction) / a.sqrt(), "sample": prediction,
                 "v_prediction": a.sqrt() * x_t - (1 - a).sqrt() * prediction}
        for kind, x0_hat in clean.items():
            eps_hat = (x_t - a.sqrt() * x0_hat) / (1 - a).sqrt()
            tensors[f"{case}.{kind}.x0"], tensors[f"{case}.{kind}.epsilon"] = x0_hat, eps_hat
            tensors[f"{case}.{kind}.velocity"] = a.sqrt() * eps_hat - (1 - a).sqrt() * x0_hat
        entries.append({"case": case, "kind": "forward", "schedule": name})


def variances(entries, tensors):
    """DDPM's posterior variance of every step of the whole chain; diffusers clamps it at 1e-20."""
    for name in ("toy", "cosine"):
        scheduler = exact(DDPMScheduler(**SCHEDULES[name]), name)
        for kind in ("fixed_small", "fixed_large"):
            tensors[f"variance_{name}.{kind}"] = torch.stack(
                [scheduler._get_variance(t, variance_type=kind) for t in range(scheduler.config.num_train_timesteps)])
        entries.append({"case": f"variance_{name}", "kind": "variance", "schedule": name})


def run(scheduler, steps, step):
    """Feeds random model outputs; returns timesteps, states [steps + 1, 2, 2], model outputs, noise and predicted x0."""
    scheduler.set_timesteps(steps)
    outputs, noise = randn(steps, 2, 2), randn(steps, 2, 2)
    states, clean = [randn(2, 2)], []
    for i, t in enumerate(scheduler.timesteps):
        result = step(outputs[i], t, states[-1], noise[i])
        states.append(result.prev_sample)
        clean.append(result.pred_original_sample)
    return {"timesteps": scheduler.timesteps.to(torch.int64), "states": torch.stack(states), "model_outputs": outputs, "noise": noise,
            "x0": torch.stack(clean)}


def ddim(entries, tensors):
    settings = [
        ("toy", 25, "trailing", 0.0, "epsilon", {}), ("toy", 10, "trailing", 1.0, "epsilon", {}),
        ("toy", 7, "leading", 0.0, "v_prediction", {}), ("toy", 7, "linspace", 0.5, "sample", {}),
        ("sd", 10, "leading", 0.0, "epsilon", {"steps_offset": 1, "set_alpha_to_one": False}),
        ("sd", 10, "leading", 1.0, "epsilon", {"steps_offset": 1, "set_alpha_to_one": False}),
        ("sd", 10, "trailing", 0.0, "v_prediction", {}), ("sd", 10, "linspace", 1.0, "v_prediction", {}),
        ("cosine", 10, "trailing", 0.0, "epsilon", {}), ("cosine", 9, "linspace", 1.0, "epsilon", {}),
        ("toy", 1, "trailing", 0.0, "epsilon", {}), ("toy", 100, "leading", 0.0, "epsilon", {}),
    ]
    for name, steps, spacing, eta, prediction, more in settings:
        options = {"timestep_spacing": spacing, "prediction_type": prediction, "steps_offset": 0, "set_alpha_to_one": True, **more}
        scheduler = exact(DDIMScheduler(**SCHEDULES[name], clip_sample=False, **options), name)
        def step(output, t, x, noise):
            return scheduler.step(output, t, x, eta=eta, variance_noise=noise if eta else None)
        case = f"ddim_{name}_{spacing}{steps}_eta{eta:g}_{prediction}"
        tensors.update({f"{case}.{key}": value for key, value in run(scheduler, steps, step).items()})
        entries.append({"case": case, "kind": "ddim", "schedule": name, "steps": steps, "eta": eta, **options})


def ddpm(entries, tensors):
    for name, steps, spacing, prediction, variance in [("toy", 100, "leading", "epsilon", "fixed_small"), ("toy", 10, "trailing", "epsilon", "fixed_small"),
                                                       ("toy", 7, "leading", "v_prediction", "fixed_large"), ("sd", 10, "linspace", "epsilon", "fixed_small"),
                                                       ("cosine", 8, "trailing", "sample", "fixed_small")]:
        options = {"timestep_spacing": spacing, "prediction_type": prediction, "variance_type": variance}
        scheduler = exact(DDPMScheduler(**SCHEDULES[name], clip_sample=False, **options), name)
        def step(output, t, x, noise):
            scheduling_ddpm.randn_tensor = lambda *_, **__: noise
            return scheduler.step(output, t, x)
        case = f"ddpm_{name}_{spacing}{steps}_{prediction}_{variance}"
        tensors.update({f"{case}.{key}": value for key, value in run(scheduler, steps, step).items()})
        entries.append({"case": case, "kind": "ddpm", "schedule": name, "steps": steps, **options})


def spacings(entries, tensors):
    """Timesteps alone, for more combinations than are sampled."""
    for total, steps, spacing, offset in [(1000, 50, "leading", 1), (1000, 20, "leading", 1), (1000, 50, "trailing", 0), (1000, 30, "linspace", 0), (1000, 7, "trailing", 0),
                                          (1000, 999, "leading", 0), (100, 100, "trailing", 0), (100, 33, "leading", 0), (100, 33, "trailing", 0), (100, 33, "linspace", 0), (100, 1, "linspace", 0)]:
        scheduler = DDIMScheduler(num_train_timesteps=total, timestep_spacing=spacing, steps_offset=offset)
        scheduler.set_timesteps(steps)
        case = f"timesteps_{spacing}_{steps}_of_{total}_offset{offset}"
        tensors[f"{case}.timesteps"] = scheduler.timesteps.to(torch.int64)
        entries.append({"case": case, "kind": "timesteps", "T": total, "steps": steps, "timestep_spacing": spacing, "steps_offset": offset})


def embeddings(entries, tensors):
    t = torch.tensor([0.0, 1.0, 17.5, 500.0, 981.0, 999.0])
    for width, flip, shift, scale, period in [(32, False, 0, 1, 10000), (32, True, 0, 1, 10000), (32, False, 1, 1, 10000), (32, True, 1, 1, 10000), (33, True, 0, 1, 10000),
                                              (320, True, 0, 1, 10000), (8, False, 1, 1000, 100)]:
        case = f"embedding_{width}_{'cos' if flip else 'sin'}_first_shift{shift}_scale{scale}"
        tensors[f"{case}.t"] = t
        tensors[f"{case}.embedding"] = get_timestep_embedding(t, width, flip_sin_to_cos=flip, downscale_freq_shift=shift, scale=scale, max_period=period)
        entries.append({"case": case, "kind": "embedding", "dim": width, "flip_sin_to_cos": flip, "downscale_freq_shift": shift, "scale": scale, "max_period": period})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for part in (schedules, forward_process, variances, ddim, ddpm, spacings, embeddings):
        part(entries, tensors)
    header = {"made_by": "tests/golden/make_diffusion_cases.py", "versions": case_files.versions("diffusers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
