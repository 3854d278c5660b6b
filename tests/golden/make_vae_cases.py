"""Writes small diffusers AutoencoderKLs: names of their weights, moments, pictures and the gradients of one training step, whole and in tiles.

    python make_vae_cases.py --packed tests/golden/vae

Weights are not stored; they follow from the seed and perturb() of make_unet_cases.py. loss = mse(decode(mean + exp(logvar / 2) noise), target)
+ 0.01 mean(kl).
"""
import argparse
import pathlib

import torch
from diffusers import AutoencoderKL

import case_files
from make_unet_cases import keep_gradients, perturb, state_of

BASE = {"block_out_channels": [8, 16], "down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2, "norm_num_groups": 4}
CASES = {
    "plain": {**BASE, "sample": [2, 3, 9, 12]},
    "three_levels": {"block_out_channels": [8, 4, 12], "down_block_types": ["DownEncoderBlock2D"] * 3, "up_block_types": ["UpDecoderBlock2D"] * 3,
                     "norm_num_groups": 2, "layers_per_block": 2, "latent_channels": 3, "act_fn": "gelu", "in_channels": 1, "out_channels": 2,
                     "sample": [1, 1, 8, 14]},
    "bare": {**BASE, "use_quant_conv": False, "use_post_quant_conv": False, "mid_block_add_attention": False, "latent_channels": 1, "sample": [3, 3, 6, 4]},
    "one_level": {"block_out_channels": [6], "norm_num_groups": 3, "act_fn": "swish", "sample": [2, 3, 5, 3]},
    "tiled": {**BASE, "sample_size": 16, "tiled": True, "sample": [1, 3, 22, 39]},
    # The last tiles are narrower than the blending.
    "tiled_odd": {**BASE, "sample_size": 10, "use_quant_conv": False, "tiled": True, "sample": [2, 3, 16, 9]},
}


def train_step(model, x, noise, target):
    posterior = model.encode(x).latent_dist
    mean, deviation = posterior.mean, posterior.std
    z = mean + deviation * noise
    y = model.decode(z).sample
    (torch.nn.functional.mse_loss(y, target) + 0.01 * posterior.kl().mean()).backward()
    return posterior, z, y


def run(name, seed, options, dtype, entries, tensors):
    options = dict(options)
    shape, tiled = options.pop("sample"), options.pop("tiled", False)
    torch.manual_seed(seed)
    model = AutoencoderKL(**options).to(dtype)
    perturb(model)
    if tiled:
        model.enable_tiling()
    generator = torch.Generator().manual_seed(seed + 1000)

    def draw(size):
        return torch.randn(size, generator=generator, dtype=torch.float64).to(dtype)

    x = draw(shape).requires_grad_(True)
    with torch.no_grad():
        latents = model.encode(x).latent_dist.mean
        noise, target = draw(latents.shape), draw(model.decode(latents).sample.shape)
    posterior, z, y = train_step(model, x, noise, target)
    case = f"{name}_{'f64' if dtype == torch.float64 else 'f32'}"
    kept = {"x": x, "noise": noise, "target": target, "mean": posterior.mean, "logvar": posterior.logvar, "z": z, "kl": posterior.kl(), "y": y, "grad_x": x.grad}
    tensors.update({f"{case}.{key}": value.detach() for key, value in kept.items()})
    keep_gradients(case, model, tensors)
    entries.append({"case": case, "kind": "vae", "seed": seed, "tiled": tiled, "options": options, "parameters": sum(p.numel() for p in model.parameters()),
                    "state": state_of(model, dtype)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for seed, (name, options) in enumerate(CASES.items()):
        for dtype in (torch.float64, torch.float32):
            run(name, seed + 201, options, dtype, entries, tensors)
    header = {"made_by": "tests/golden/make_vae_cases.py", "versions": case_files.versions("diffusers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
