"""Writes small diffusers UNet2DConditionModels: the names of their weights, outputs, the gradients of one training step and the weights after it.

    python make_unet_condition_cases.py --packed tests/golden/unet_condition

Seeds, perturb() and the two numbers kept of a gradient are make_unet_cases.py's. The same two are kept of
what a step of torch.optim.AdamW moves a weight by, in units of the learning rate.
"""
import argparse
import json
import pathlib

import torch
from diffusers import UNet2DConditionModel

import case_files
from make_unet_cases import Sinusoids, keep_gradients, perturb, wave

RATE, DECAY = 1e-3, 1e-2
CROSS = {"down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]}
BASE = {**CROSS, "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4, "attention_head_dim": 2, "cross_attention_dim": 6}
THREE = {**BASE, "block_out_channels": [8, 8, 16], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
         "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]}
CASES = {
    "sd1": {**BASE, "layers_per_block": 2, "sample": [2, 4, 8, 8], "tokens": 7},
    "sd2": {**THREE, "attention_head_dim": [1, 2, 4], "use_linear_projection": True, "upcast_attention": True, "sample_size": 8, "sample": [1, 4, 8, 12], "tokens": 3},
    "sdxl": {**THREE, "attention_head_dim": [1, 2, 4], "use_linear_projection": True, "transformer_layers_per_block": [1, 2, 3], "addition_embed_type": "text_time",
             "addition_time_embed_dim": 4, "projection_class_embeddings_input_dim": 34, "sample": [2, 4, 8, 8], "tokens": 5, "pooled": 10, "ids": 6},
    "odd": {**THREE, "sample": [2, 4, 7, 9], "tokens": 4},
    "odd_padded_behind": {**THREE, "downsample_padding": 0, "sample": [1, 4, 11, 6], "tokens": 1},
    "classes": {**BASE, "num_class_embeds": 5, "resnet_time_scale_shift": "scale_shift", "center_input_sample": True, "time_embedding_dim": 20,
                "mid_block_scale_factor": 1.5, "sample": [3, 4, 6, 4], "tokens": 2},
    "without_text": {**BASE, "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "mid_block_type": "UNetMidBlock2D",
                     "attention_head_dim": [4, 8], "class_embed_type": "timestep", "class_embeddings_concat": True, "act_fn": "gelu", "sample": [2, 4, 4, 6]},
    "depths": {**BASE, "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
               "layers_per_block": [1, 2], "transformer_layers_per_block": [1, [2, 1]], "reverse_transformer_layers_per_block": [[1, 2, 1], 2],
               "only_cross_attention": [True, False], "cross_attention_dim": [6, 6], "class_embed_type": "projection", "projection_class_embeddings_input_dim": 3,
               "conv_in_kernel": 5, "conv_out_kernel": 1, "in_channels": 1, "out_channels": 2, "sample": [2, 1, 4, 6], "tokens": 3},
    "no_middle": {**BASE, "mid_block_type": None, "class_embed_type": "simple_projection", "projection_class_embeddings_input_dim": 3, "freq_shift": 1,
                  "flip_sin_to_cos": False, "norm_eps": 1e-6, "act_fn": "mish", "only_cross_attention": True, "sample": [2, 4, 4, 4], "tokens": 2},
    "identity": {**BASE, "class_embed_type": "identity", "time_embedding_dim": 12, "sample": [1, 4, 2, 2], "tokens": 2},
}


def labels_of(options, pictures, generator, dtype):
    kind = options.get("class_embed_type")
    if kind == "identity":
        return torch.randn([pictures, options["time_embedding_dim"]], generator=generator, dtype=torch.float64).to(dtype)
    if kind in ("projection", "simple_projection"):
        return torch.randn([pictures, options["projection_class_embeddings_input_dim"]], generator=generator, dtype=torch.float64).to(dtype)
    if kind == "timestep" or "num_class_embeds" in options:
        return torch.randint(0, options.get("num_class_embeds") or 1000, [pictures], generator=generator)
    return None


def inputs_of(options, shape, extra, seed, dtype):
    generator = torch.Generator().manual_seed(seed + 1000)
    draw = lambda size: torch.randn(size, generator=generator, dtype=torch.float64).to(dtype)
    given = {"x": draw(shape).requires_grad_(True), "target": draw([shape[0], options.get("out_channels", 4), *shape[2:]]),
             "t": torch.randint(0, 1000, shape[:1], generator=generator).to(dtype), "labels": labels_of(options, shape[0], generator, dtype)}
    if extra["tokens"]:
        given["context"] = draw([shape[0], extra["tokens"], 6]).requires_grad_(True)
    if extra["ids"]:
        given["pooled"] = draw([shape[0], extra["pooled"]]).requires_grad_(True)
        given["ids"] = torch.randint(0, 1024, [shape[0], extra["ids"]], generator=generator).to(dtype)
    return {key: value for key, value in given.items() if value is not None}


def keep_update(case, model, tensors):
    """Takes the step and keeps what it moved."""
    before = [parameter.detach().double().clone() for parameter in model.parameters()]
    torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY).step()
    numbers = []
    for index, (old, parameter) in enumerate(zip(before, model.parameters())):
        moved = ((parameter.detach().double() - old) / RATE).flatten()
        numbers.append([moved.norm().item(), torch.dot(moved, wave(moved.numel(), index)).item()])
    tensors[f"{case}.moves"] = torch.tensor(numbers, dtype=torch.float64)


def run(name, seed, options, dtype, entries, tensors):
    options = dict(options)
    shape = options.pop("sample")
    extra = {key: options.pop(key, None) for key in ("tokens", "pooled", "ids")}
    torch.manual_seed(seed)
    model = UNet2DConditionModel(**options).to(dtype)
    perturb(model)
    if dtype == torch.float64:
        model.time_proj = Sinusoids(model.time_proj)
        if extra["ids"]:
            model.add_time_proj = Sinusoids(model.add_time_proj)
    given = inputs_of(options, shape, extra, seed, dtype)
    added = {"text_embeds": given["pooled"], "time_ids": given["ids"]} if extra["ids"] else None
    y = model(given["x"], given["t"], given.get("context"), class_labels=given.get("labels"), added_cond_kwargs=added).sample
    torch.nn.functional.mse_loss(y, given["target"]).backward()
    case = f"{name}_{'f64' if dtype == torch.float64 else 'f32'}"
    tensors.update({f"{case}.{key}": value.detach() for key, value in given.items()})
    tensors.update({f"{case}.grad_{key}": value.grad for key, value in given.items() if value.grad is not None})
    tensors[f"{case}.y"] = y.detach()
    keep_gradients(case, model, tensors)
    for key in [key for key in tensors if key.startswith(f"{case}.grad.")]:
        del tensors[key]
    # In f32 the sign of a gradient that is zero but for rounding decides where Adam goes, so f64 alone shows the step.
    if dtype == torch.float64:
        keep_update(case, model, tensors)
    # Names and shapes once for both types.
    state = [[key, list(value.shape)] for key, value in model.state_dict().items()] if dtype == torch.float64 else []
    entries.append({"case": case, "kind": "unet2d_condition", "seed": seed, "options": options, "config": json.loads(model.to_json_string()) if state else None,
                    "parameters": sum(p.numel() for p in model.parameters()), "state": state})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for seed, (name, options) in enumerate(CASES.items()):
        for dtype in (torch.float64, torch.float32):
            run(name, seed + 201, options, dtype, entries, tensors)
    header = {"made_by": "tests/golden/make_unet_condition_cases.py", "versions": case_files.versions("diffusers"), "rate": RATE, "decay": DECAY}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
