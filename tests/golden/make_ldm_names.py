"""Writes the names that tensors have in single files of Stable Diffusion, line for line with tests/golden/manifests, and the manifests of SD2.

    python make_ldm_names.py --manifests tests/golden/manifests --out tests/golden/ldm_names

The names of the single file are listed here by walking the construction of the original networks; diffusers' own conversion then has to turn the
whole list into exactly the names of the manifest. A line of NAME.tsv belongs to the same line of manifests/NAME.tsv: the name in the single file and,
where the tensor is stored in another layout, which: "linear" (a 1x1 convolution there, a matrix in the manifest), "transposed", or "rows N" (rows
N to N + 1 thirds of a fused weight). Versions are in versions.json.
"""
import argparse
import json
import pathlib

import torch
from diffusers import UNet2DConditionModel
from diffusers.loaders import single_file_utils as reference
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

import case_files


class Traced:
    """A tensor of the single file as the conversion handles it: what was done to it is remembered."""

    def __init__(self, name, shape, done=""):
        self.name, self.shape, self.ndim, self.done = name, shape, len(shape), done

    def clone(self):
        return self

    detach = contiguous = clone

    @property
    def T(self):
        return Traced(self.name, self.shape[::-1], "transposed")

    def __getitem__(self, key):
        key = key if isinstance(key, tuple) else (key,)
        if len(self.shape) == 4:
            assert key == (slice(None), slice(None), 0, 0), key
            return Traced(self.name, self.shape[:2], "linear")
        third = self.shape[0] // 3
        start, stop, step = key[0].indices(self.shape[0])
        assert stop - start == third and step == 1 and start % third == 0 and key[1:] in ((), (slice(None),)), key
        return Traced(self.name, (third, *self.shape[1:]), f"rows {start // third}")


def with_ends(names):
    return [f"{name}.{end}" for name in names for end in ("weight", "bias")]


def resnet(at, skip):
    parts = ["in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3"] + ["skip_connection"] * skip
    return with_ends(f"{at}.{part}" for part in parts)


def transformer(at, depth):
    names = with_ends([f"{at}.norm", f"{at}.proj_in", f"{at}.proj_out"])
    for k in range(depth):
        block = f"{at}.transformer_blocks.{k}"
        names += [f"{block}.{attn}.to_{part}.weight" for attn in ("attn1", "attn2") for part in "qkv"]
        names += with_ends(f"{block}.{part}" for part in ("attn1.to_out.0", "attn2.to_out.0", "ff.net.0.proj", "ff.net.2", "norm1", "norm2", "norm3"))
    return names


def unet_names(channels, depths, middle, has_labels):
    """As openaimodel.UNetModel appends its blocks: two residual blocks a level on the way down, three on the way up."""
    names = with_ends(["input_blocks.0.0", "time_embed.0", "time_embed.2", "out.0", "out.2"])
    names += with_ends(["label_emb.0.0", "label_emb.0.2"]) if has_labels else []
    n, current, skips = 1, channels[0], [channels[0]]
    for level, (width, depth) in enumerate(zip(channels, depths)):
        for _ in range(2):
            names += resnet(f"input_blocks.{n}.0", current != width) + (transformer(f"input_blocks.{n}.1", depth) if depth else [])
            n, current = n + 1, width
            skips.append(width)
        if level + 1 < len(channels):
            names += with_ends([f"input_blocks.{n}.0.op"])
            n += 1
            skips.append(width)
    names += resnet("middle_block.0", False) + transformer("middle_block.1", middle) + resnet("middle_block.2", False)
    n = 0
    for level in reversed(range(len(channels))):
        for i in range(3):
            names += resnet(f"output_blocks.{n}.0", True)  # it takes more channels than it gives
            skips.pop()
            part = 1
            if depths[level]:
                names += transformer(f"output_blocks.{n}.1", depths[level])
                part = 2
            if level and i == 2:
                names += with_ends([f"output_blocks.{n}.{part}.conv"])
            n += 1
    return names


def vae_names():
    """As model.Encoder and model.Decoder of the first stage."""
    names = with_ends(["quant_conv", "post_quant_conv"])
    for side in ("encoder", "decoder"):
        names += with_ends(f"{side}.{part}" for part in ("conv_in", "norm_out", "conv_out"))
        for block in ("block_1", "block_2"):
            names += with_ends(f"{side}.mid.{block}.{part}" for part in ("norm1", "conv1", "norm2", "conv2"))
        names += with_ends(f"{side}.mid.attn_1.{part}" for part in ("norm", "q", "k", "v", "proj_out"))
    widths = [128, 256, 512, 512]
    for side, levels, blocks in (("encoder.down", range(4), 2), ("decoder.up", reversed(range(4)), 3)):
        current = 128 if side == "encoder.down" else 512
        for level in levels:
            for block in range(blocks):
                parts = ["norm1", "conv1", "norm2", "conv2"] + ["nin_shortcut"] * (current != widths[level])
                names += with_ends(f"{side}.{level}.block.{block}.{part}" for part in parts)
                current = widths[level]
        names += with_ends(f"encoder.down.{level}.downsample.conv" for level in range(3)) if side == "encoder.down" else []
        names += with_ends(f"decoder.up.{level}.upsample.conv" for level in range(1, 4)) if side == "decoder.up" else []
    return names


def open_clip_names(layers):
    names = ["positional_embedding", "text_projection", "token_embedding.weight", *with_ends(["ln_final"])]
    for i in range(layers):
        at = f"transformer.resblocks.{i}"
        names += [f"{at}.attn.in_proj_weight", f"{at}.attn.in_proj_bias"]
        names += with_ends(f"{at}.{part}" for part in ("attn.out_proj", "ln_1", "ln_2", "mlp.c_fc", "mlp.c_proj"))
    return names


def convert_unet(names, config):
    prefix = "model.diffusion_model."
    found = reference.convert_ldm_unet_checkpoint({prefix + name: Traced(name, ()) for name in names}, {"layers_per_block": 2, **config})
    return {name: value for name, value in found.items() if value is not None}


def convert_vae(names):
    shape = lambda name: (1, 1, 1, 1) if ".attn_1." in name and name.endswith("weight") and "norm" not in name else (1,)
    return reference.convert_ldm_vae_checkpoint({f"first_stage_model.{name}": Traced(name, shape(name)) for name in names},
                                                {"down_block_types": [0] * 4, "up_block_types": [0] * 4})


def convert_open_clip(names, width, prefix):
    class Config:
        hidden_size = width

    class Model:
        config = Config

    shape = lambda name: (width, width) if name == "text_projection" else (3 * width, width) if name.endswith("in_proj_weight") else (3 * width,)
    return reference.convert_open_clip_checkpoint(Model, {prefix + name: Traced(name, shape(name)) for name in names}, prefix)


def manifest_of(module):
    return {name: tuple(tensor.shape) for name, tensor in sorted(module.state_dict().items())}


def sd2_manifests():
    """Of stabilityai's SD 2: the UNet with linear projections and heads of 64, and the text encoder without its last layer."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
        text = CLIPTextModelWithProjection(CLIPTextConfig(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16,
                                                          hidden_act="gelu", projection_dim=512))
    plain = {name: shape for name, shape in manifest_of(text).items() if name.startswith("text_model.")}
    return {"unet_sd2": manifest_of(unet), "clip_h": plain}


def write(out, name, converted, manifest):
    missing, extra = manifest.keys() - converted.keys(), converted.keys() - manifest.keys()
    assert not missing and not extra, (name, sorted(missing)[:5], sorted(extra)[:5])
    lines = [value.name + (f"\t{value.done}" if value.done else "") for value in (converted[key] for key in manifest)]
    (out / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    print(name, len(lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--manifests", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    for name, manifest in sd2_manifests().items():
        lines = [f"{key}\t{','.join(map(str, shape))}" for key, shape in manifest.items()]
        (arguments.manifests / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    rows = {path.stem: dict(line.split("\t") for line in path.read_text().splitlines()) for path in arguments.manifests.glob("*.tsv")}
    arguments.out.mkdir(parents=True, exist_ok=True)
    put = lambda name, converted: write(arguments.out, name, converted, rows[name])
    sd1 = unet_names([320, 640, 1280, 1280], [1, 1, 1, 0], 1, False)
    put("unet_sd15", convert_unet(sd1, {}))
    put("unet_sd2", convert_unet(sd1, {}))
    put("unet_sdxl", convert_unet(unet_names([320, 640, 1280], [0, 2, 10], 10, True), {"addition_embed_type": "text_time"}))
    put("vae_sd", convert_vae(vae_names()))
    put("clip_bigg", convert_open_clip(open_clip_names(32), 1280, "conditioner.embedders.1.model."))
    put("clip_h", convert_open_clip(open_clip_names(24), 1024, "cond_stage_model.model."))
    (arguments.out / "versions.json").write_text(json.dumps(case_files.versions("diffusers", "transformers")) + "\n")


if __name__ == "__main__":
    main()
