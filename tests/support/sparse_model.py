"""A single file of Stable Diffusion 1.5 or XL with every name and shape and no data: a sparse file of its full size.

    python sparse_model.py sd15|sdxl FILE [F16|F32]
"""
import json
import math
import pathlib
import struct
import sys

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
PARTS = {
    "sd15": [("model.diffusion_model.", "unet_sd15"), ("first_stage_model.", "vae_sd"), ("cond_stage_model.transformer.", "clip_l")],
    "sdxl": [("model.diffusion_model.", "unet_sdxl"), ("first_stage_model.", "vae_sd"), ("conditioner.embedders.0.transformer.", "clip_l"),
             ("conditioner.embedders.1.model.", "clip_bigg")],
}


def lines(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def tensors(prefix, name):
    """Names and shapes in the single file."""
    manifest = lines(GOLDEN / "manifests" / f"{name}.tsv")
    names = GOLDEN / "ldm_names" / f"{name}.tsv"
    for (folder_name, sizes), (file_name, *layout) in zip(manifest, lines(names) if names.exists() else manifest):
        shape = [int(size) for size in sizes.split(",")]
        layout = layout[0] if names.exists() and layout else ""
        if layout == "linear":
            shape += [1, 1]
        if layout == "transposed":
            shape.reverse()
        if layout.startswith("rows"):
            if layout != "rows 0":
                continue
            shape[0] *= 3
        yield prefix + (file_name if names.exists() else folder_name), shape


def write(model, path, dtype="F32"):
    """Returns the number of elements."""
    header, offset, size = {"__metadata__": {"format": "pt"}}, 0, {"F32": 4, "F16": 2}[dtype]
    for prefix, name in PARTS[model]:
        for key, shape in tensors(prefix, name):
            end = offset + size * math.prod(shape)
            header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, end]}
            offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)
    return offset // size


if __name__ == "__main__":
    print(write(*sys.argv[1:]))
