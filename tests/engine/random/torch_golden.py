"""Writes torch_golden.h beside itself: draws of torch's CPU generator that tests/engine/random/generator_test.cpp expects.

Run: python tests/engine/random/torch_golden.py        (needs torch)
"""
import pathlib

import numpy
import torch


def values(name, kind, tensor):
    numbers = tensor.tolist()
    text = [float(x).hex() if kind == "double" else f"INT64_C({x})" for x in numbers]
    lines = [", ".join(text[i : i + 4]) for i in range(0, len(text), 4)]
    return f"inline const std::vector<{kind}> {name} = {{\n    " + ",\n    ".join(lines) + "};\n"


def seeded(seed, draw):
    torch.manual_seed(seed)
    return draw()


def main():
    f64 = torch.float64
    out = [
        "#pragma once\n",
        "// Written by torch_golden.py; do not edit.",
        f"// torch {torch.__version__}, numpy {numpy.__version__}, CPU capability {torch.backends.cpu.get_cpu_capability()}\n",
        "#include <cstdint>\n#include <vector>\n",
        "namespace golden {\n",
        values("rand_f32_seed1_8", "double", seeded(1, lambda: torch.rand(8))),
        values("rand_f64_seed1_5", "double", seeded(1, lambda: torch.rand(5, dtype=f64))),
        values("uniform_f32_seed2_9", "double", seeded(2, lambda: torch.empty(9).uniform_(-0.3, 0.7))),
        values("randn_f32_seed3_5_then_5", "double", seeded(3, lambda: torch.cat([torch.randn(5), torch.randn(5)]))),
        values("randn_f32_seed4_16", "double", seeded(4, lambda: torch.randn(16))),
        values("randn_f32_seed4_37", "double", seeded(4, lambda: torch.randn(37))),
        values("randn_f64_seed4_15", "double", seeded(4, lambda: torch.randn(15, dtype=f64))),
        values("randn_f64_seed4_37", "double", seeded(4, lambda: torch.randn(37, dtype=f64))),
        values("normal_f32_seed5_20", "double", seeded(5, lambda: torch.empty(20).normal_(2.5, 0.125))),
        "// randn(3), randn(18), randn(2): the kept second normal survives the block path.",
        values("randn_f32_seed6_mixed", "double",
               seeded(6, lambda: torch.cat([torch.randn(3), torch.randn(18), torch.randn(2)]))),
        values("randint_seed7_small", "int64_t", seeded(7, lambda: torch.randint(-5, 1000, (8,)))),
        values("randint_seed7_below_2_28", "int64_t", seeded(7, lambda: torch.randint(0, 2**28 - 1, (6,)))),
        values("randint_seed7_at_2_28", "int64_t", seeded(7, lambda: torch.randint(0, 2**28, (6,)))),
        values("randint_seed7_wide", "int64_t", seeded(7, lambda: torch.randint(-(2**62), 2**62, (6,)))),
        values("randperm_seed8_13", "int64_t", seeded(8, lambda: torch.randperm(13))),
        "// The last 8 of 20 000 draws: 62 refills later.",
        values("randn_f32_seed9_20000_last", "double", seeded(9, lambda: torch.randn(20000)[-8:])),
        values("rand_f32_seed_2_40_plus_5", "double", seeded(2**40 + 5, lambda: torch.rand(4))),
        "\n}  // namespace golden",
    ]
    pathlib.Path(__file__).with_name("torch_golden.h").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
