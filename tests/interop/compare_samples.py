"""Pictures of `plumb sample` beside those of diffusers, from the same tiny random folders and torch's noise. Run by hand:

    python tests/interop/compare_samples.py build/apps/plumb

needs torch, diffusers and transformers. Makes the folders with diffusers, draws with both, and prints the largest relative error
of what the networks draw (latents or pixels) and the largest difference of the pictures, for each sampler and pipeline.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import diffusers
import numpy
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file

STEPS, SEED, TOLERANCE = 7, 11, 1e-4
SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}
SAMPLERS = {
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True, "set_alpha_to_one": False}), "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False}),
    "ddpm": ("DDPMScheduler", {"clip_sample": False}), "euler": ("EulerDiscreteScheduler", {}), "euler_ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}), "dpm_multistep": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}), "dpmpp_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "unipc": ("UniPCMultistepScheduler", {}), "euler_trailing_v": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing", "prediction_type": "v_prediction"}),
}


def stirred(model):
    """Random weights, none at its first value."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.03)
    return model.eval()


def tokenizer_files(folder):
    """A vocabulary of the letters and two merges."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [",", "!"]
    words = letters + [letter + "</w>" for letter in letters] + ["re", "red</w>", "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\nr e\nre d</w>\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 12}), encoding="utf-8")
    return transformers.CLIPTokenizer.from_pretrained(folder), len(words)


def text_encoder(size, projection):
    config = transformers.CLIPTextConfig(vocab_size=size, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=12,
                                         bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=size - 1, projection_dim=16, hidden_act="gelu" if projection else "quick_gelu")
    return stirred((transformers.CLIPTextModelWithProjection if projection else transformers.CLIPTextModel)(config))


def autoencoder():
    return stirred(diffusers.AutoencoderKL(block_out_channels=[16, 32], down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2, norm_num_groups=8,
                                           layers_per_block=1, latent_channels=4, sample_size=32))


def stable_diffusion(folder, large):
    tokenizer, size = tokenizer_files(folder / "made")
    unet = {"sample_size": 12, "block_out_channels": [16, 32], "norm_num_groups": 8, "layers_per_block": 1, "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
            "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "cross_attention_dim": 64 if large else 32, "attention_head_dim": [2, 4] if large else 4}
    parts = {"vae": autoencoder(), "text_encoder": text_encoder(size, False), "tokenizer": tokenizer, "scheduler": diffusers.PNDMScheduler(**SD, **SAMPLERS["pndm"][1])}
    if large:
        unet.update(use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 16)
        more = {"text_encoder_2": text_encoder(size, True), "tokenizer_2": tokenizer}
        pipeline = diffusers.StableDiffusionXLPipeline(unet=stirred(diffusers.UNet2DConditionModel(**unet)), add_watermarker=False, **parts, **more)
    else:
        pipeline = diffusers.StableDiffusionPipeline(unet=stirred(diffusers.UNet2DConditionModel(**unet)), safety_checker=None, feature_extractor=None, requires_safety_checker=False, **parts)
    pipeline.save_pretrained(folder / "model")
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def unconditional(folder):
    unet = stirred(diffusers.UNet2DModel(sample_size=16, block_out_channels=[16, 32], norm_num_groups=8, layers_per_block=1, down_block_types=["DownBlock2D", "AttnDownBlock2D"],
                                         up_block_types=["AttnUpBlock2D", "UpBlock2D"]))
    pipeline = diffusers.DDPMPipeline(unet=unet, scheduler=diffusers.DDPMScheduler())
    pipeline.save_pretrained(folder / "model")
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(plumb, folder, *words):
    command = [plumb, "sample", "--model", folder / "model", "--num_inference_steps", STEPS, "--rng", "torch", "--seed", SEED, "--save_tensors", "--quiet", "--out", folder / "out", *words]
    subprocess.run([str(word) for word in command], check=True)
    return load_file(folder / "out/samples.safetensors")["00000"], numpy.asarray(Image.open(folder / "out/00000.png"))


def report(what, ours, theirs):
    tensor, picture = ours
    error = ((tensor - theirs[0]).abs().max() / theirs[0].abs().max()).item()
    apart = int(numpy.abs(picture.astype(int) - numpy.asarray(theirs[1]).astype(int)).max())
    print(f"{what:45} relative error {error:.2e}, pictures at most {apart} of 255 apart")
    return error <= TOLERANCE and apart <= 1


def text_pictures(plumb, folder, large):
    pipeline, good = stable_diffusion(folder, large), True
    name = "SDXL" if large else "SD"
    words = ["--prompt", "a red ball", "--negative_prompt", "blue, dark", "--guidance_scale", 5, "--guidance_rescale", 0.4]
    common = {"prompt": "a red ball", "negative_prompt": "blue, dark", "guidance_scale": 5.0, "guidance_rescale": 0.4, "num_inference_steps": STEPS}
    config = json.loads((folder / "model/scheduler/scheduler_config.json").read_text(encoding="utf-8"))
    for sampler, (kind, options) in SAMPLERS.items():
        scheduler = getattr(diffusers, kind)(**SD, **options)
        pipeline.scheduler = scheduler
        scheduler.save_pretrained(folder / "model/scheduler")
        latents = {}
        pictures = pipeline(**common, generator=torch.Generator().manual_seed(SEED), callback_on_step_end=lambda *a: latents.update(x=a[3]["latents"]) or a[3]).images
        good &= report(f"{name}, {sampler}", draw(plumb, folder, *words), (latents["x"], pictures[0]))
    (folder / "model/scheduler/scheduler_config.json").write_text(json.dumps(config), encoding="utf-8")
    pipeline.scheduler = diffusers.PNDMScheduler.from_config(config)
    # No negative prompt, another size, and from a picture.
    latents = {}
    keep = {"callback_on_step_end": lambda *a: latents.update(x=a[3]["latents"]) or a[3]}
    pictures = pipeline(prompt="a ball", height=40, width=24, num_inference_steps=STEPS, generator=torch.Generator().manual_seed(SEED), **keep).images
    good &= report(f"{name}, no negative prompt", draw(plumb, folder, "--prompt", "a ball", "--height", 40, "--width", 24), (latents["x"], pictures[0]))
    start = Image.fromarray(numpy.random.default_rng(1).integers(0, 255, (24, 32, 3), dtype=numpy.uint8)).resize((32, 24))
    start.save(folder / "start.png")
    again = (diffusers.StableDiffusionXLImg2ImgPipeline if large else diffusers.StableDiffusionImg2ImgPipeline).from_pipe(pipeline)
    again.set_progress_bar_config(disable=True)
    pictures = again(prompt="a ball", image=start, strength=0.6, num_inference_steps=STEPS, guidance_scale=5.0, generator=torch.Generator().manual_seed(SEED), **keep).images
    ours = draw(plumb, folder, "--prompt", "a ball", "--init_image", folder / "start.png", "--strength", 0.6, "--guidance_scale", 5)
    return report(f"{name}, from a picture", ours, (latents["x"], pictures[0])) and good


def unconditional_pictures(plumb, folder):
    pipeline = unconditional(folder)
    picture = pipeline(num_inference_steps=STEPS, generator=torch.Generator().manual_seed(SEED), output_type="np").images[0]
    tensor, drawn = draw(plumb, folder)
    theirs = torch.from_numpy(picture).permute(2, 0, 1)[None]
    return report("DDPM of pixels", ((tensor / 2 + 0.5).clamp(0, 1), drawn), (theirs, (picture * 255).round()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plumb", type=pathlib.Path)
    plumb = parser.parse_args().plumb.resolve()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for part in ("pixels", "sd", "xl"):
            (root / part).mkdir()
        results = [unconditional_pictures(plumb, root / "pixels"), text_pictures(plumb, root / "sd", False), text_pictures(plumb, root / "xl", True)]
    raise SystemExit(0 if all(results) else "some differ by more than they may")


if __name__ == "__main__":
    main()
