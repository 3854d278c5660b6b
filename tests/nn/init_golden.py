"""Writes init_golden.h: first values of torch's layers under torch.manual_seed.

    python tests/nn/init_golden.py > tests/nn/init_golden.h
"""
import torch


def array(name, tensor):
    values = ", ".join(repr(float(v)) + ("f" if tensor.dtype == torch.float32 else "") for v in tensor.flatten())
    kind = "float" if tensor.dtype == torch.float32 else "double"
    print(f"inline const std::vector<{kind}> {name} = {{{values}}};")


def seeded(make):
    torch.manual_seed(7)
    return make()


def main():
    torch.set_num_threads(1)
    print(f"#pragma once\n\n// Made by tests/nn/init_golden.py with torch {torch.__version__}. Do not edit.\n\n#include <vector>\n")
    print("namespace plumb::golden {\n")
    linear = seeded(lambda: torch.nn.Linear(3, 5))
    array("linear_weight", linear.weight.detach())
    array("linear_bias", linear.bias.detach())
    double = seeded(lambda: torch.nn.Linear(4, 2, dtype=torch.float64))
    array("linear_f64_weight", double.weight.detach())
    array("linear_f64_bias", double.bias.detach())
    two = seeded(lambda: torch.nn.Sequential(torch.nn.Linear(66, 128), torch.nn.SiLU(), torch.nn.Linear(128, 2)))
    array("second_weight_end", two[2].weight.detach().flatten()[-8:])
    array("second_bias", two[2].bias.detach())
    array("embedding_small", seeded(lambda: torch.nn.Embedding(3, 4)).weight.detach())
    array("embedding_large", seeded(lambda: torch.nn.Embedding(6, 7)).weight.detach())
    array("xavier", seeded(lambda: torch.nn.init.xavier_uniform_(torch.empty(3, 4), gain=2.0)))
    print("\n}  // namespace plumb::golden")


if __name__ == "__main__":
    main()
