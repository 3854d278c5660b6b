"""Writes small diffusers UNet2DModels and Transformer2DModels: the names of their weights, outputs and the gradients of one training step.

    python make_unet_cases.py --packed tests/golden/unet

Weights are not stored. A model starts from torch.manual_seed(seed), which Plumb's constructors repeat; perturb() then moves what starts at a constant
(biases, scales) and replaces the class table, whose normals are equal to a few units in the last place alone. The gradient of a parameter is kept
whole up to KEPT elements, and always as two numbers: its norm and its product with a fixed wave, which no other gradient shares.
"""
import argparse
import math
import pathlib

import torch
from diffusers import Transformer2DModel, UNet2DModel

import case_files

KEPT = 8
BASE = {"block_out_channels": [8, 16], "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1, "norm_num_groups": 4, "attention_head_dim": 8}
CASES = {
    "plain": {**BASE, "sample": [2, 3, 8, 8]},
    "three_levels": {**BASE, "block_out_channels": [8, 8, 16], "layers_per_block": 2, "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
                     "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"], "norm_eps": 1e-6, "freq_shift": 1, "flip_sin_to_cos": False, "sample": [3, 3, 8, 12]},
    "scale_shift": {**BASE, "resnet_time_scale_shift": "scale_shift", "num_class_embeds": 5, "center_input_sample": True, "mid_block_scale_factor": 1.5,
                    "time_embedding_dim": 20, "sample": [2, 3, 6, 4]},
    "one_channel": {**BASE, "in_channels": 1, "out_channels": 2, "downsample_padding": 0, "attention_head_dim": None, "attn_norm_num_groups": 2,
                    "act_fn": "gelu", "class_embed_type": "timestep", "sample": [2, 1, 8, 6]},
    "resnet_sizes": {**BASE, "down_block_types": ["AttnDownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D"],
                     "downsample_type": "resnet", "upsample_type": "resnet", "add_attention": False, "act_fn": "mish", "sample": [1, 3, 4, 4]},
    "no_middle": {**BASE, "mid_block_type": None, "attention_head_dim": 4, "act_fn": "relu", "sample": [2, 3, 4, 6]},
}


def wave(count, phase):
    return torch.sin(1.7 * torch.arange(count, dtype=torch.float64) + phase)


def perturb(model):
    with torch.no_grad():
        for index, (name, parameter) in enumerate(model.named_parameters()):
            moved = 0.2 * wave(parameter.numel(), index).reshape(parameter.shape)
            if name == "class_embedding.weight":
                parameter.copy_(moved)
            elif parameter.dim() == 1:
                parameter.copy_((parameter.double() + moved).to(parameter.dtype))


class Sinusoids(torch.nn.Module):
    """diffusers' Timesteps in f64; its own computes in f32 whatever the model's type."""

    def __init__(self, timesteps):
        super().__init__()
        self.dim, self.flip, self.shift = timesteps.num_channels, timesteps.flip_sin_to_cos, timesteps.downscale_freq_shift

    def forward(self, times):
        half = self.dim // 2
        angle = times.double()[:, None] * torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float64) / (half - self.shift))
        return torch.cat([torch.cos(angle), torch.sin(angle)] if self.flip else [torch.sin(angle), torch.cos(angle)], 1)


def keep_gradients(case, model, tensors):
    numbers = []
    for index, (name, parameter) in enumerate(model.named_parameters()):
        grad = parameter.grad.double().flatten()
        numbers.append([grad.norm().item(), torch.dot(grad, wave(grad.numel(), index)).item()])
        if grad.numel() <= KEPT:
            tensors[f"{case}.grad.{name}"] = parameter.grad
    tensors[f"{case}.grads"] = torch.tensor(numbers, dtype=torch.float64)


def state_of(model, dtype):
    """Names and shapes, once for both types."""
    state = [[key, list(value.shape)] for key, value in model.state_dict().items()]
    assert [key for key, _ in model.named_parameters()] == [key for key, _ in state]
    return state if dtype == torch.float64 else []


def run(name, seed, options, dtype, entries, tensors):
    options = dict(options)
    shape = options.pop("sample")
    torch.manual_seed(seed)
    model = UNet2DModel(**options).to(dtype)
    perturb(model)
    if dtype == torch.float64:
        model.time_proj = Sinusoids(model.time_proj)
    generator = torch.Generator().manual_seed(seed + 1000)
    x = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_(True)
    target = torch.randn([shape[0], options.get("out_channels", 3), *shape[2:]], generator=generator, dtype=torch.float64).to(dtype)
    times = torch.randint(0, 1000, shape[:1], generator=generator).to(dtype)
    labels = torch.randint(0, options.get("num_class_embeds") or 1000, shape[:1], generator=generator)
    has_classes = "num_class_embeds" in options or "class_embed_type" in options
    y = model(x, times, class_labels=labels if has_classes else None).sample
    loss = torch.nn.functional.mse_loss(y, target)
    loss.backward()
    case = f"{name}_{'f64' if dtype == torch.float64 else 'f32'}"
    tensors.update({f"{case}.x": x.detach(), f"{case}.t": times, f"{case}.target": target, f"{case}.y": y.detach(), f"{case}.loss": loss.detach().reshape(1),
                    f"{case}.grad_x": x.grad})
    if has_classes:
        tensors[f"{case}.labels"] = labels
    keep_gradients(case, model, tensors)
    entries.append({"case": case, "kind": "unet2d", "seed": seed, "options": {key: value for key, value in options.items() if value is not None or key in ("attention_head_dim", "mid_block_type")},
                    "parameters": sum(p.numel() for p in model.parameters()), "state": state_of(model, dtype)})


TRANSFORMERS = {
    "conv_projection": {"in_channels": 12, "num_attention_heads": 3, "attention_head_dim": 4, "num_layers": 2, "cross_attention_dim": 6, "norm_num_groups": 3,
                        "sample": [2, 12, 3, 5], "tokens": 7},
    "linear_projection": {"in_channels": 8, "num_attention_heads": 2, "attention_head_dim": 5, "num_layers": 1, "cross_attention_dim": 4, "norm_num_groups": 4,
                          "use_linear_projection": True, "attention_bias": True, "sample": [3, 8, 2, 4], "tokens": 1},
    "without_context": {"in_channels": 8, "num_attention_heads": 1, "attention_head_dim": 8, "num_layers": 1, "norm_num_groups": 8, "sample": [2, 8, 4, 4]},
}


def run_transformer(name, seed, options, dtype, entries, tensors):
    options = dict(options)
    shape, tokens = options.pop("sample"), options.pop("tokens", None)
    torch.manual_seed(seed)
    model = Transformer2DModel(**options).to(dtype)
    perturb(model)
    generator = torch.Generator().manual_seed(seed + 1000)
    x = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_(True)
    target = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
    case = f"{name}_{'f64' if dtype == torch.float64 else 'f32'}"
    context = None
    if tokens:
        context = torch.randn([shape[0], tokens, options["cross_attention_dim"]], generator=generator, dtype=torch.float64).to(dtype).requires_grad_(True)
    y = model(x, encoder_hidden_states=context).sample
    torch.nn.functional.mse_loss(y, target).backward()
    tensors.update({f"{case}.x": x.detach(), f"{case}.target": target, f"{case}.y": y.detach(), f"{case}.grad_x": x.grad})
    if tokens:
        tensors.update({f"{case}.context": context.detach(), f"{case}.grad_context": context.grad})
    keep_gradients(case, model, tensors)
    entries.append({"case": case, "kind": "transformer2d", "seed": seed, "options": options, "state": state_of(model, dtype)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for seed, (name, options) in enumerate(CASES.items()):
        for dtype in (torch.float64, torch.float32):
            run(name, seed + 1, options, dtype, entries, tensors)
    for seed, (name, options) in enumerate(TRANSFORMERS.items()):
        for dtype in (torch.float64, torch.float32):
            run_transformer(name, seed + 101, options, dtype, entries, tensors)
    header = {"made_by": "tests/golden/make_unet_cases.py", "versions": case_files.versions("diffusers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
