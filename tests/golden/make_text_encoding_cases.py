"""Writes what diffusers' StableDiffusionPipeline and StableDiffusionXLPipeline make of prompts, with small text encoders.

    python make_text_encoding_cases.py --packed tests/golden/text_encoding

Tokenizers are those of tests/golden/tokenizer, weights are those of make_clip_cases.py's fill().
"""
import argparse
import pathlib
import shutil
import tempfile

import torch
import transformers
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

import case_files
from make_clip_cases import fill

HERE = pathlib.Path(__file__).resolve().parent / "tokenizer"
PROMPTS = ["A photo of a CAT's tail, in the street!", "", "日本語 " * 90]
NEGATIVE = ["blurry!", "", "low quality, 3 hands"]
FIRST = {"vocab_size": 624, "hidden_size": 6, "intermediate_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "projection_dim": 5, "eos_token_id": 2, "bos_token_id": 0}
SECOND = {**FIRST, "hidden_size": 8, "hidden_act": "gelu", "projection_dim": 7, "eos_token_id": 623, "bos_token_id": 622}


def load_tokenizer(name):
    with tempfile.TemporaryDirectory() as folder:
        for path in [HERE / "vocab.json", HERE / "merges.txt", *(HERE / name).iterdir()]:
            shutil.copy(path, folder)
        return CLIPTokenizer.from_pretrained(folder)


def build(model_class, options, seed):
    config = CLIPTextConfig(**options)
    model = model_class(config).eval()
    fill(model, seed)
    config.architectures = [model_class.__name__]
    return model


def config_of(model):
    config = model.config.to_dict()
    config.pop("id2label"), config.pop("label2id")
    return config


def sd_case(name, tokenizer, clip_skip, negative, entries, tensors):
    encoder = build(CLIPTextModel, FIRST, 401)
    if not hasattr(encoder, "text_model"):
        object.__setattr__(encoder, "text_model", encoder)  # transformers 5 has no such part, and diffusers asks for it
    pipeline = StableDiffusionPipeline(vae=None, text_encoder=encoder, tokenizer=load_tokenizer(tokenizer), unet=None, scheduler=None, safety_checker=None,
                                       feature_extractor=None, requires_safety_checker=False)
    with torch.no_grad():
        context, uncond = pipeline.encode_prompt(PROMPTS, "cpu", 1, True, negative_prompt=negative, clip_skip=clip_skip)
    tensors.update({f"{name}.context": context, f"{name}.negative.context": uncond})
    entries.append({"case": name, "kind": "sd", "tokenizers": [tokenizer], "seeds": [401], "configs": [config_of(encoder)], "prompts": PROMPTS,
                    "negative": negative, "clip_skip": clip_skip})


def sdxl_case(name, clip_skip, negative, zeros, both, entries, tensors):
    first, second = build(CLIPTextModel, FIRST, 402), build(CLIPTextModelWithProjection, SECOND, 403)
    names = ["padded_by_end", "padded_by_mark"] if both else ["padded_by_mark"]
    pipeline = StableDiffusionXLPipeline(vae=None, text_encoder=first if both else None, text_encoder_2=second, tokenizer=load_tokenizer(names[0]) if both else None,
                                         tokenizer_2=load_tokenizer(names[-1]), unet=None, scheduler=None, force_zeros_for_empty_prompt=zeros, add_watermarker=False)
    with torch.no_grad():
        context, uncond, pooled, uncond_pooled = pipeline.encode_prompt(PROMPTS, device="cpu", negative_prompt=negative, clip_skip=clip_skip)
    tensors.update({f"{name}.context": context, f"{name}.negative.context": uncond, f"{name}.pooled": pooled, f"{name}.negative.pooled": uncond_pooled})
    models = [first, second] if both else [second]
    entries.append({"case": name, "kind": "sdxl", "tokenizers": names, "seeds": [402, 403] if both else [403], "configs": [config_of(model) for model in models],
                    "prompts": PROMPTS, "negative": negative, "clip_skip": clip_skip, "force_zeros": zeros})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    entries, tensors = [], {}
    sd_case("sd1", "padded_by_end", None, None, entries, tensors)
    sd_case("sd2_skip", "padded_by_mark", 1, NEGATIVE, entries, tensors)
    sdxl_case("sdxl", None, None, True, True, entries, tensors)
    sdxl_case("sdxl_skip", 1, NEGATIVE, True, True, entries, tensors)
    sdxl_case("sdxl_no_zeros", None, None, False, True, entries, tensors)
    sdxl_case("sdxl_second_alone", None, NEGATIVE, True, False, entries, tensors)
    header = {"made_by": "tests/golden/make_text_encoding_cases.py", "versions": case_files.versions("diffusers", "transformers")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
