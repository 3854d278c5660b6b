"""Writes pictures resized by torch's bilinear interpolation, and blurred with it as Self-DPO's losers are.

    python make_resize_cases.py --packed tests/golden/resize
"""
import argparse
import pathlib

import torch
from torch.nn.functional import interpolate

import case_files

generator = torch.Generator().manual_seed(31)
#        N, C, H, W -> height, width
RESIZES = [([1, 1, 1, 1], (3, 2)), ([2, 3, 8, 8], (2, 2)), ([2, 3, 8, 8], (16, 16)), ([1, 2, 5, 7], (3, 11)), ([1, 1, 4, 6], (4, 6)),
           ([1, 1, 7, 1], (2, 5)), ([1, 2, 9, 4], (1, 1))]
#        sizes that four divides and that it does not, down to a single pixel
BLURS = [[2, 3, 8, 8], [1, 3, 12, 16], [1, 2, 9, 11], [1, 1, 6, 5], [1, 2, 3, 2], [1, 1, 1, 1]]


def bilinear(x, size):
    return interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=False)


def blurred(x):
    """Down by four (at least one pixel stays) and up again."""
    height, width = x.shape[2:]
    return bilinear(bilinear(x, (max(1, height // 4), max(1, width // 4))), (height, width))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    entries, tensors = [], {}
    for name, dtype in (("f64", torch.float64), ("f32", torch.float32)):
        for index, (shape, size) in enumerate(RESIZES):
            case, x = f"resize{index}_{name}", torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
            tensors[f"{case}.x"], tensors[f"{case}.y"] = x, bilinear(x, size)
            entries.append({"case": case, "kind": "resize", "size": list(size)})
        for index, shape in enumerate(BLURS):
            case, x = f"blur{index}_{name}", torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
            tensors[f"{case}.x"], tensors[f"{case}.y"] = x, blurred(x)
            entries.append({"case": case, "kind": "blur"})
    header = {"made_by": "tests/golden/make_resize_cases.py", "versions": case_files.versions()}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
