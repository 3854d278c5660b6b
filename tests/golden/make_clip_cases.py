"""Writes small transformers CLIP text and picture encoders: names of their weights, outputs and gradients.

    python make_clip_cases.py --packed tests/golden/clip

Weights are not stored: fill() draws them, uniform and in f64, from torch's generator, which Plumb repeats bit for bit. Names are those of the
published files; transformers 5 itself leaves "text_model." out. loss = the sum of mse(output, target.OUTPUT) over the outputs listed in "targets".
"""
import argparse
import math
import pathlib

import torch
import transformers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModel, CLIPVisionModelWithProjection

import case_files
from make_unet_cases import keep_gradients

TEXT = {"vocab_size": 20, "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 3, "num_attention_heads": 3, "max_position_embeddings": 9,
        "projection_dim": 6, "bos_token_id": 18, "eos_token_id": 19, "pad_token_id": 19}
VISION = {"hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 14, "patch_size": 4, "projection_dim": 5}
# A row without an end, one with two, one with the largest number before the end.
IDS = [[18, 3, 4, 19, 19, 19, 19], [18, 0, 1, 2, 3, 4, 5], [18, 7, 19, 8, 19, 9, 1], [19, 2, 2, 18, 2, 0, 0]]
CASES = {
    "text": ("text", TEXT, IDS),
    "text_projection": ("text_projection", {**TEXT, "hidden_act": "gelu", "layer_norm_eps": 1e-4}, IDS),
    "text_old_end": ("text_projection", {**TEXT, "eos_token_id": 2, "num_hidden_layers": 1}, IDS),
    "text_full": ("text", {**TEXT, "num_attention_heads": 1}, [[18, 5, 6, 7, 19, 8, 9, 10, 11]]),
    "text_one_token": ("text", TEXT, [[19], [4]]),
    "vision": ("vision", VISION, [2, 3, 14, 14]),
    "vision_projection": ("vision_projection", {**VISION, "hidden_act": "gelu", "num_channels": 1, "patch_size": 14}, [3, 1, 14, 14]),
}
CLASSES = {"text": (CLIPTextModel, CLIPTextConfig), "text_projection": (CLIPTextModelWithProjection, CLIPTextConfig),
           "vision": (CLIPVisionModel, CLIPVisionConfig), "vision_projection": (CLIPVisionModelWithProjection, CLIPVisionConfig)}


def fill(model, seed):
    """1 + u / 3 for a normalisation's weight, u / 3 for what else has one dimension, 2.5 u / sqrt(fan in) for matrices, u for tables; u in [-1, 1)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            u = 2 * torch.rand(parameter.shape, generator=generator, dtype=torch.float64) - 1
            if parameter.dim() == 1:
                u = u / 3 + (1 if name.endswith("weight") else 0)
            elif "embedding.weight" not in name or "patch" in name:
                u = u * (2.5 / math.sqrt(parameter.numel() // parameter.shape[0]))
            parameter.copy_(u.to(parameter.dtype))


def build(kind, options, dtype, seed):
    model_class, config_class = CLASSES[kind]
    model = model_class(config_class(**options)).to(dtype).eval()
    fill(model, seed)
    return model


def published(kind, name):
    prefix = {"text": "text_model.", "vision": "vision_model."}.get(kind, "")
    return prefix + name


def run(name, seed, kind, options, given, dtype, entries, tensors):
    model = build(kind, options, dtype, seed)
    generator = torch.Generator().manual_seed(seed + 1000)

    def draw(size):
        return torch.randn(size, generator=generator, dtype=torch.float64).to(dtype)

    case = f"{name}_{'f64' if dtype == torch.float64 else 'f32'}"
    if kind.startswith("text"):
        x = torch.tensor(given)
        out = model(x, output_hidden_states=True)
        kept = {"ids": x}
    else:
        x = draw(given).requires_grad_(True)
        out = model(x, output_hidden_states=True)
        kept = {"x": x.detach()}
    outputs = {"last": out.last_hidden_state, "penultimate": out.hidden_states[-2]}
    if kind.endswith("projection"):
        outputs["embeds"] = out.text_embeds if kind.startswith("text") else out.image_embeds
    else:
        outputs["pooled"] = out.pooler_output
    loss = 0
    for what, value in outputs.items():
        target = draw(value.shape)
        loss = loss + torch.nn.functional.mse_loss(value, target)
        kept.update({what: value.detach(), f"target.{what}": target})
    loss.backward()
    kept["first"] = out.hidden_states[0].detach()
    if not kind.startswith("text"):
        kept["grad_x"] = x.grad
    for parameter in model.parameters():  # a layer behind the last output that is used
        parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    tensors.update({f"{case}.{key}": value for key, value in kept.items()})
    renamed = torch.nn.Module()
    renamed.named_parameters = lambda: [(published(kind, key), value) for key, value in model.named_parameters()]
    keep_gradients(case, renamed, tensors)
    state = [[published(kind, key), list(value.shape)] for key, value in model.state_dict().items()]
    config = model.config.to_dict()
    config.pop("id2label"), config.pop("label2id")
    config["architectures"] = [type(model).__name__]
    entries.append({"case": case, "kind": kind.split("_")[0], "seed": seed, "options": config, "targets": list(outputs),
                    "state": state if dtype == torch.float64 else []})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    entries, tensors = [], {}
    for seed, (name, (kind, options, given)) in enumerate(CASES.items()):
        for dtype in (torch.float64, torch.float32):
            run(name, seed + 301, kind, options, given, dtype, entries, tensors)
    header = {"made_by": "tests/golden/make_clip_cases.py", "versions": case_files.versions("transformers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
