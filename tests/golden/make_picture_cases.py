"""Writes JPEG files with the pixels Pillow reads from them, and pictures with what Pillow's resize makes of them.

    python make_picture_cases.py --packed tests/golden/pictures
"""
import argparse
import io
import pathlib

import numpy
import PIL.features
import torch
from PIL import Image, ImageOps

import case_files

numbers = numpy.random.default_rng(17)
FILTERS = {"box": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR, "hamming": Image.Resampling.HAMMING,
           "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
#        old and new size, width first: up, down, odd, one way each, pictures one pixel wide
SIZES = [((7, 5), (13, 11)), ((23, 17), (8, 8)), ((40, 9), (6, 30)), ((1, 1), (4, 3)), ((1, 19), (1, 6)), ((31, 1), (8, 2)),
         ((16, 12), (16, 5)), ((12, 16), (5, 16)), ((9, 9), (9, 9)), ((64, 48), (21, 16)), ((13, 10), (1, 1))]
#        size, mode, options of save
JPEGS = [("grey", (19, 13), "L", {}), ("rgb_420", (37, 21), "RGB", {"subsampling": "4:2:0"}), ("rgb_422", (21, 37), "RGB", {"subsampling": "4:2:2"}),
         ("rgb_444", (16, 16), "RGB", {"subsampling": "4:4:4", "quality": 95}), ("progressive", (45, 30), "RGB", {"progressive": True}),
         ("one_pixel", (1, 1), "RGB", {}), ("cmyk", (18, 11), "CMYK", {}), ("restarts", (40, 24), "RGB", {"restart_marker_blocks": 2}),
         ("keeps_rgb", (15, 9), "RGB", {"keep_rgb": True, "quality": 60})]


def picture(size, mode):
    """Smooth shades with noise on them: what a photograph is to a codec."""
    width, height = size
    channels = len(mode)
    y, x = numpy.mgrid[0:height, 0:width]
    shades = [128 + 90 * numpy.sin(x / (3 + c) + c) * numpy.cos(y / (5 - c / 2)) for c in range(channels)]
    pixels = numpy.stack(shades, axis=-1) + numbers.normal(0, 25, (height, width, channels))
    pixels = numpy.clip(pixels, 0, 255).astype(numpy.uint8)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode)


def pixels_of(image):
    array = numpy.asarray(image)
    return torch.from_numpy(array.reshape(image.height, image.width, -1).copy())


def jpeg_case(name, image, options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    read = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue())))
    read = read if read.mode == "L" else read.convert("RGB")
    return {f"{name}.file": torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8), f"{name}.y": pixels_of(read)}


def exif_of(orientation):
    exif = Image.Exif()
    exif[271], exif[274] = "maker", orientation
    return exif


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    entries, tensors = [], {}
    jpegs = JPEGS + [(f"turned{n}", (9, 6), "RGB", {"exif": exif_of(n)}) for n in range(1, 9)]
    for name, size, mode, options in jpegs:
        tensors.update(jpeg_case(name, picture(size, mode), options))
        entries.append({"case": name, "kind": "jpeg"})
    for index, (old, new) in enumerate(SIZES):
        for mode in ("L", "RGB"):
            image = picture(old, mode)
            tensors[f"resize{index}_{mode}.x"] = pixels_of(image)
            for filter_name, pillow_filter in FILTERS.items():
                case = f"resize{index}_{mode}_{filter_name}"
                tensors[f"{case}.y"] = pixels_of(image.resize(new, pillow_filter))
                entries.append({"case": case, "kind": "resize", "of": f"resize{index}_{mode}", "filter": filter_name, "size": list(new)})
    versions = {**case_files.versions("PIL"), "libjpeg_turbo": PIL.features.version("libjpeg_turbo")}
    header = {"made_by": "tests/golden/make_picture_cases.py", "versions": versions}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
