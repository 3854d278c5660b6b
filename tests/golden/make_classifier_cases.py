"""Writes small classifiers of pictures built from torch's layers: outputs, loss and gradients.

    python make_classifier_cases.py --packed tests/golden/classifier

Weights are stored: torch's first values and noise on all of them.
"""
import argparse
import pathlib

import torch
from torch import nn
from torch.nn import functional

import case_files

CASES = {"even": {"in_channels": 3, "image_size": 8, "block_out_channels": [4, 8], "norm_num_groups": 2, "feature_dim": 5, "heads": [3, 2]},
         "odd": {"in_channels": 1, "image_size": 7, "block_out_channels": [6], "norm_num_groups": 3, "feature_dim": 4, "heads": [2]}}


class Classifier(nn.Module):
    def __init__(self, o):
        super().__init__()
        blocks, channels, size = [], o["in_channels"], o["image_size"]
        for out in o["block_out_channels"]:
            block = nn.Module()
            block.conv, block.norm = nn.Conv2d(channels, out, 3, 2, 1), nn.GroupNorm(o["norm_num_groups"], out)
            blocks.append(block)
            channels, size = out, (size + 1) // 2
        self.blocks = nn.ModuleList(blocks)
        self.project = nn.Linear(channels * size * size, o["feature_dim"])
        self.head = nn.Linear(o["feature_dim"], sum(o["heads"]))

    def forward(self, x):
        for block in self.blocks:
            x = functional.silu(block.norm(block.conv(x)))
        features = self.project(x.flatten(1))
        return features, self.head(functional.silu(features))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    entries, tensors = [], {}
    for seed, (name, options) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        model = Classifier(options)
        with torch.no_grad():
            for key, weight in model.named_parameters():
                weight += 0.2 * torch.randn_like(weight)
                tensors[f"{name}.weight.{key}"] = weight.clone()
        x = torch.randn(3, options["in_channels"], options["image_size"], options["image_size"], requires_grad=True)
        labels = torch.stack([torch.randint(0, count, (3,)) for count in options["heads"]], 1)
        features, logits = model(x)
        parts = torch.split(logits, options["heads"], 1)
        loss = sum(functional.cross_entropy(part, labels[:, h]) for h, part in enumerate(parts))
        loss.backward()
        tensors.update({f"{name}.x": x.detach(), f"{name}.labels": labels, f"{name}.features": features.detach(),
                        f"{name}.logits": logits.detach(), f"{name}.loss": loss.detach().reshape(1), f"{name}.grad_x": x.grad})
        tensors.update({f"{name}.grad.{key}": weight.grad for key, weight in model.named_parameters()})
        entries.append({"case": name, **options})
    header = {"made_by": "tests/golden/make_classifier_cases.py", "versions": case_files.versions()}
    print(case_files.write_lines(arguments.packed, entries, {k: v.contiguous() for k, v in tensors.items()}, header), "classifiers")


if __name__ == "__main__":
    main()
