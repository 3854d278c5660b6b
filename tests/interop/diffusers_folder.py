"""Tiny models between diffusers and the program, with a Python that has torch, diffusers and transformers. Nothing is downloaded.

    python diffusers_folder.py PLUMB

For each class of pipelines a folder that diffusers writes is read and written again by `plumb convert`; what diffusers loads of the copy must have
the same weights and give the same picture. Stable Diffusion goes through a single file as well: diffusers' own conversion must find the same weights in it.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from diffusers import (AutoencoderKL, DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, DiffusionPipeline, EulerDiscreteScheduler, LDMPipeline,
                       PNDMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel, UNet2DModel)
from diffusers.loaders import single_file_utils
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
PROMPT = "a small cat 12"


def pixel_unet(channels=3):
    return UNet2DModel(sample_size=8, in_channels=channels, out_channels=channels, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
                       attention_head_dim=4, down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"))


def text_unet(large):
    more = {"use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "attention_head_dim": [1, 2],
            "projection_class_embeddings_input_dim": 6 * 256 + 64, "transformer_layers_per_block": [1, 2]} if large else {"attention_head_dim": 8}
    cross, plain = "CrossAttn{}Block2D", "{}Block2D"
    kinds = [plain, cross] if large else [cross, plain]
    return UNet2DConditionModel(sample_size=8, block_out_channels=(64, 128) if large else (32, 64), layers_per_block=1, cross_attention_dim=128 if large else 64,
                                down_block_types=[kind.format("Down") for kind in kinds], up_block_types=[kind.format("Up") for kind in kinds[::-1]], **more)


def vae(large=False):
    """With the factor of the family, which a single file cannot hold."""
    return AutoencoderKL(block_out_channels=(32, 32), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
                         latent_channels=4, sample_size=16, scaling_factor=0.13025 if large else 0.18215)


def tokenizer(folder, pad):
    """A vocabulary of single letters."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    signs = [chr(code) for code in shown] + [chr(256 + n) for n in range(256 - len(shown))]
    words = signs + [sign + "</w>" for sign in signs] + ["at</w>", "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\na t</w>\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=12, pad_token=pad)


def text_encoder(second, vocabulary):
    config = CLIPTextConfig(vocab_size=vocabulary, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=1, max_position_embeddings=12,
                            projection_dim=64, hidden_act="gelu" if second else "quick_gelu", bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1, pad_token_id=1)
    return (CLIPTextModelWithProjection if second else CLIPTextModel)(config)


def move(*modules):
    """No weight stays at a constant."""
    for module in modules:
        for parameter in module.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
        module.eval()


def make(name, folder):
    torch.manual_seed(5)
    if name in ("DDPMPipeline", "DDIMPipeline"):
        unet = pixel_unet()
        move(unet)
        return DDPMPipeline(unet, DDPMScheduler()) if name == "DDPMPipeline" else DDIMPipeline(unet, DDIMScheduler())
    if name == "LDMPipeline":
        parts = {"vqvae": vae(), "unet": pixel_unet(4), "scheduler": DDIMScheduler(**BETAS)}
        move(parts["vqvae"], parts["unet"])
        return LDMPipeline(**parts)
    large = name == "StableDiffusionXLPipeline"
    words = tokenizer(folder / f"{name}-words", "<|endoftext|>")
    parts = {"vae": vae(large), "unet": text_unet(large), "text_encoder": text_encoder(False, len(words))}
    if large:
        parts["text_encoder_2"] = text_encoder(True, len(words))
    move(*parts.values())
    parts["tokenizer"] = words
    if large:
        parts["tokenizer_2"] = tokenizer(folder / f"{name}-words2", "!")
        return StableDiffusionXLPipeline(scheduler=EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1), **parts)
    return StableDiffusionPipeline(scheduler=PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1), safety_checker=None, feature_extractor=None,
                                   requires_safety_checker=False, **parts)


def picture(pipeline):
    pipeline.set_progress_bar_config(disable=True)
    arguments = {"num_inference_steps": 3, "generator": torch.Generator().manual_seed(3), "output_type": "np"}
    if "StableDiffusion" in type(pipeline).__name__:
        arguments.update(prompt=PROMPT, height=16, width=16)
    return torch.from_numpy(pipeline(**arguments).images)


def same_weights(got, expected):
    """Of every network of two pipelines, bit for bit."""
    networks = {name: part for name, part in expected.components.items() if isinstance(part, torch.nn.Module)}
    pairs = {name: (getattr(got, name).state_dict(), part.state_dict()) for name, part in networks.items()}
    return all(ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in theirs) for ours, theirs in pairs.values())


def check_same(what, got, expected):
    """The same weights, and the same picture but for where tensors lie in memory, which torch's kernels round by."""
    weights, difference = same_weights(got, expected), (picture(got) - picture(expected)).abs().max().item()
    print(f"{what}: weights {'the same bits' if weights else 'DIFFER'}, picture differs by {difference:.1e}")
    return weights and difference <= 1e-5


def plumb(program, *words):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def check_folder(program, name, folder):
    made = make(name, folder)
    made.save_pretrained(folder / name)
    plumb(program, "convert", folder / name, "--out", folder / f"{name}-copy")
    loaded = DiffusionPipeline.from_pretrained(folder / f"{name}-copy")
    assert type(loaded).__name__ == name
    same = check_same(f"{name}: folder read and written", loaded, made)
    described = json.loads(plumb(program, "inspect", folder / f"{name}-copy", "--json"))["pictures"]
    assert described["loads_with"] and all(not network["missing"] + network["extra"] + network["misshaped"] for network in described["networks"]), described
    return same


def convert(name, file, pipeline):
    """diffusers' conversions of a single file, as its from_single_file calls them."""
    yield "unet", single_file_utils.convert_ldm_unet_checkpoint(dict(file), dict(pipeline.unet.config))
    yield "vae", single_file_utils.convert_ldm_vae_checkpoint(dict(file), dict(pipeline.vae.config))
    yield "text_encoder", single_file_utils.convert_ldm_clip_checkpoint(dict(file))
    if name == "StableDiffusionXLPipeline":
        yield "text_encoder_2", single_file_utils.convert_open_clip_checkpoint(pipeline.text_encoder_2, dict(file), prefix="conditioner.embedders.1.model.")


def check_single_file(program, name, folder):
    original = DiffusionPipeline.from_pretrained(folder / name)
    plumb(program, "convert", folder / name, "--out", folder / f"{name}.safetensors")
    file = load_file(folder / f"{name}.safetensors")
    same = True
    for part, state in convert(name, file, original):
        expected = {key: value for key, value in getattr(original, part).state_dict().items() if "position_ids" not in key}
        state = {key if key in expected else key.removeprefix("text_model."): value for key, value in state.items()}
        fits = state.keys() == expected.keys() and all(torch.equal(state[key], expected[key]) for key in expected)
        print(f"{name}: {part} of the single file, by diffusers' conversion: {'the same bits' if fits else 'DIFFERS'}")
        same = same and fits
    plumb(program, "convert", folder / f"{name}.safetensors", "--tokenizer", folder / name, "--out", folder / f"{name}-back")
    plumb(program, "convert", folder / f"{name}-back", "--out", folder / f"{name}-again.safetensors")
    again = (folder / f"{name}.safetensors").read_bytes() == (folder / f"{name}-again.safetensors").read_bytes()
    print(f"{name}: single file to folder and back: {'the same bytes' if again else 'DIFFERS'}")
    back = DiffusionPipeline.from_pretrained(folder / f"{name}-back", scheduler=original.scheduler)
    return check_same(f"{name}: folder made of the single file", back, original) and same and again


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kind in ("DDPMPipeline", "DDIMPipeline", "LDMPipeline", "StableDiffusionPipeline", "StableDiffusionXLPipeline"):
            good = check_folder(program, kind, folder) and good
        for kind in ("StableDiffusionPipeline", "StableDiffusionXLPipeline"):
            good = check_single_file(program, kind, folder) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
