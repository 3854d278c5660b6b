"""Writes what diffusers' schedulers do: defaults of their configurations, noise schedules, timesteps and whole trajectories.

    python make_sampler_cases.py --packed tests/golden/samplers

Trajectories are of a fixed nonlinear "network" that the tests evaluate too. Everything is float32, as diffusers computes it.
"""
import argparse
import json
import pathlib
import sys

import diffusers
import torch

import case_files

CLASSES = ["DDPMScheduler", "DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler",
           "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler"]
SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
STEPS = [1, 2, 5, 20, 50]
generator = torch.Generator().manual_seed(6)


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


def network(x, t):
    """The tests evaluate the same in C++; t is the timestep."""
    c = torch.as_tensor(t, dtype=torch.float32) / 1000
    return torch.tanh(x * 0.8 + (c * 0.5 - 0.2)) + x * (c * 0.3)


def sampled(name, options, steps, eta=None, first=0):
    """Timesteps, states before the first and after every step, the noise of the steps, and where the noise multiplier stands."""
    scheduler = getattr(diffusers, name)(**options)
    scheduler.set_timesteps(steps)
    timesteps = scheduler.timesteps[first:]
    noise = torch.randn((len(timesteps), 2, 2), generator=generator)
    x = torch.randn((2, 2), generator=generator)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)  # without it diffusers skips the first step where the first two timesteps are equal
    if first > 0:
        clean = x
        at = timesteps[:1].repeat(2)
        noisy = scheduler.scale_noise(clean, at, noise[0]) if hasattr(scheduler, "scale_noise") else scheduler.add_noise(clean, noise[0], at)
        states = [clean, noisy]
    else:
        states = [x * getattr(scheduler, "init_noise_sigma", 1.0)]
    module = sys.modules[type(scheduler).__module__]
    extra = {} if eta is None else {"eta": eta}
    for i, t in enumerate(timesteps):
        module.randn_tensor = lambda *_, **__: noise[i]
        x = states[-1]
        seen = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        states.append(scheduler.step(network(seen, t), t, x, return_dict=False, **extra)[0])
    result = {"timesteps": timesteps.to(torch.float32), "states": torch.stack(states), "noise": noise,
              "init": torch.as_tensor(getattr(scheduler, "init_noise_sigma", 1.0), dtype=torch.float32).reshape(1)}
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in result.values()), (name, options, steps)
    return result


def cases():
    """(class, options, more) of every case."""
    for spacing in ("leading", "trailing", "linspace"):
        spaced = {**SD, "timestep_spacing": spacing, "steps_offset": 1 if spacing == "leading" else 0}
        for kind in ("epsilon", "sample", "v_prediction"):
            options = {**spaced, "prediction_type": kind}
            yield "DDPMScheduler", {**options, "clip_sample": False}, {}
            yield "DDIMScheduler", {**options, "clip_sample": False, "set_alpha_to_one": False}, {}
            yield "HeunDiscreteScheduler", options, {}
            yield "EulerDiscreteScheduler", options, {}
            yield "DPMSolverMultistepScheduler", options, {}
            yield "UniPCMultistepScheduler", options, {}
            if kind != "sample":
                yield "PNDMScheduler", {**options, "skip_prk_steps": True}, {}
                yield "EulerAncestralDiscreteScheduler", options, {}
        for name in ("EulerDiscreteScheduler", "HeunDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"):
            yield name, {**spaced, "use_karras_sigmas": True}, {}
        yield "PNDMScheduler", spaced, {"steps": [4, 20]}
    yield from variants()
    yield from beginnings()


def variants():
    linear, zero = {"num_train_timesteps": 500}, {**SD, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}
    cosine = {"beta_schedule": "squaredcos_cap_v2"}
    yield "DDPMScheduler", {**linear, "clip_sample_range": 0.7}, {}
    yield "DDPMScheduler", {**linear, "clip_sample": False, "variance_type": "fixed_large"}, {}
    yield "DDPMScheduler", {**cosine, "clip_sample": False, "variance_type": "fixed_small_log", "prediction_type": "sample"}, {}
    yield "DDPMScheduler", {**zero, "clip_sample": False}, {}
    yield "DDIMScheduler", {**linear, "clip_sample_range": 0.7}, {}
    yield "DDIMScheduler", {**linear, "clip_sample": False}, {"eta": 1.0}
    yield "DDIMScheduler", {**zero, "clip_sample": False}, {"eta": 0.5}
    yield "PNDMScheduler", {**SD, "prediction_type": "v_prediction", "set_alpha_to_one": True}, {"steps": [7, 50]}
    yield "EulerDiscreteScheduler", {**SD, "interpolation_type": "log_linear"}, {}
    yield "EulerDiscreteScheduler", {**SD, "final_sigmas_type": "sigma_min"}, {}
    yield "EulerDiscreteScheduler", {**SD, "use_karras_sigmas": True, "sigma_min": 0.05, "sigma_max": 10.0}, {}
    yield "EulerDiscreteScheduler", zero, {}
    yield "EulerAncestralDiscreteScheduler", zero, {}
    yield "HeunDiscreteScheduler", {"clip_sample": True, "clip_sample_range": 0.8}, {}
    multistep = "DPMSolverMultistepScheduler"
    for kind in ("dpmsolver++", "sde-dpmsolver++", "dpmsolver"):
        last = {"final_sigmas_type": "sigma_min"} if kind == "dpmsolver" else {}
        for order, solver in ((1, "midpoint"), (2, "heun"), (3, "midpoint")):
            yield multistep, {**SD, **last, "algorithm_type": kind, "solver_order": order, "solver_type": solver}, {}
    yield multistep, {**SD, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "prediction_type": "v_prediction"}, {}
    yield multistep, {**SD, "algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True}, {}
    yield multistep, {**SD, "lower_order_final": False, "euler_at_final": True, "final_sigmas_type": "sigma_min"}, {}
    yield multistep, {**SD, "lower_order_final": False, "final_sigmas_type": "sigma_min"}, {}
    yield multistep, {**cosine, "lambda_min_clipped": -5.1}, {}
    yield multistep, {**cosine, "use_karras_sigmas": True}, {}
    yield multistep, zero, {}
    unipc = "UniPCMultistepScheduler"
    for order in (1, 2, 3):
        yield unipc, {**SD, "solver_order": order, "solver_type": "bh1", "final_sigmas_type": "sigma_min"}, {}
        yield unipc, {**SD, "solver_order": order, "predict_x0": False, "final_sigmas_type": "sigma_min"}, {}
        yield unipc, {**SD, "solver_order": order, "disable_corrector": [0, 1]}, {}
    yield unipc, {**SD, "lower_order_final": False, "solver_order": 3, "final_sigmas_type": "sigma_min"}, {}
    yield unipc, {**SD, "predict_x0": False, "prediction_type": "v_prediction", "final_sigmas_type": "sigma_min"}, {}
    yield unipc, zero, {}
    for shift in (1.0, 3.0):
        flow = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": shift}
        yield multistep, flow, {}
        yield unipc, flow, {}
        yield "FlowMatchEulerDiscreteScheduler", {"shift": shift}, {}
    yield unipc, {**flow, "shift_terminal": 0.1}, {"steps": [2, 5, 20]}
    yield "FlowMatchEulerDiscreteScheduler", {"shift": 2.0, "shift_terminal": 0.1}, {"steps": [2, 5, 20]}
    yield "FlowMatchEulerDiscreteScheduler", {"use_karras_sigmas": True}, {}
    yield "FlowMatchEulerDiscreteScheduler", {"shift": 3.0, "stochastic_sampling": True}, {}


def beginnings():
    """Sampling that begins after the first step, from a noisy picture."""
    plms = {"skip_prk_steps": True, "steps_offset": 1}
    for name, options in (("DDPMScheduler", {"clip_sample": False}), ("DDIMScheduler", {"clip_sample": False}), ("PNDMScheduler", plms), ("EulerDiscreteScheduler", {}),
                          ("EulerAncestralDiscreteScheduler", {}), ("HeunDiscreteScheduler", {}), ("DPMSolverMultistepScheduler", {}), ("UniPCMultistepScheduler", {})):
        yield name, {**SD, **options}, {"steps": [10], "first": 4}
    yield "FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, {"steps": [10], "first": 4}


def trajectories(entries, tensors):
    for n, (name, options, more) in enumerate(cases()):
        case, steps, eta, first = f"{n}", more.get("steps", STEPS), more.get("eta"), more.get("first", 0)
        parts = [sampled(name, options, count, eta, first) for count in steps]
        stochastic = name in ("DDPMScheduler", "EulerAncestralDiscreteScheduler") or eta or "sde" in options.get("algorithm_type", "") \
            or "stochastic_sampling" in options or first > 0
        for key in ("timesteps", "states", "init") + (("noise",) if stochastic else ()):
            tensors[f"{case}.{key}"] = torch.cat([part[key] for part in parts])
        entry = {"case": case, "kind": "trajectory", "config": {"_class_name": name, **options}, "steps": steps, "calls": [len(part["timesteps"]) for part in parts]}
        entries.append({**entry, **({"eta": eta} if eta else {}), **({"first": first} if first else {})})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for part in (defaults, betas, trajectories):
        part(entries, tensors)
    header = {"made_by": "tests/golden/make_sampler_cases.py", "versions": case_files.versions("diffusers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
