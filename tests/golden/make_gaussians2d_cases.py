"""Writes the closed form of the two-dimensional world: densities and scores of diffused Gaussian mixtures, in NumPy float64.

    python make_gaussians2d_cases.py --packed tests/golden/gaussians2d

Mode k of K sits at radius * (cos, sin)(2 pi k / K) with standard deviation sigma. The clean class k is that mode alone. The noisy class k
has weight 1 - p at its own mode and p/2 at each of the modes k - 1 and k + 1 (mod K), all with sigma * inflation. Diffusion turns
N(c, s^2) into N(sqrt(abar) c, abar s^2 + 1 - abar), independently in every component, so a mixture stays one at every t:
    log p_t(x | k) = logsumexp_j [ log w_j - log(2 pi v) - |x - sqrt(abar) c_j|^2 / (2 v) ],   v = abar s^2 + 1 - abar
    score_t(x | k) = sum_j r_j (sqrt(abar) c_j - x) / v,   r = softmax of the terms above
The unconditional density is the mean over classes. `abar = 1` (t = -1 in the list) is the data itself.
"""
import argparse
import pathlib

import numpy as np
import torch

import case_files

WORLDS = [
    {"classes": 6, "radius": 2.0, "sigma": 0.3, "noise_fraction": 0.3, "inflation": 1.5},
    {"classes": 5, "radius": 1.0, "sigma": 0.5, "noise_fraction": 0.4, "inflation": 2.0},
    {"classes": 2, "radius": 2.0, "sigma": 0.1, "noise_fraction": 0.3, "inflation": 1.0},
]
TIMES = [-1, 0, 5, 40, 99]


def centers(world):
    angle = 2 * np.pi * np.arange(world["classes"]) / world["classes"]
    return world["radius"] * np.stack([np.cos(angle), np.sin(angle)], 1)


def noisy_weights(world):
    """[class, mode]"""
    count = world["classes"]
    weights = np.zeros((count, count))
    for k in range(count):
        weights[k, k] += 1 - world["noise_fraction"]
        for neighbour in ((k - 1) % count, (k + 1) % count):
            weights[k, neighbour] += world["noise_fraction"] / 2
    return weights


def log_density_and_score(points, means, weights, variance):
    """points [P, 2], means [M, 2], weights [M] (zeros allowed) -> [P], [P, 2]."""
    used = weights > 0
    means, weights = means[used], weights[used]
    difference = means[None] - points[:, None]
    terms = np.log(weights) - np.log(2 * np.pi * variance) - (difference ** 2).sum(-1) / (2 * variance)
    top = terms.max(1, keepdims=True)
    total = top[:, 0] + np.log(np.exp(terms - top).sum(1))
    share = np.exp(terms - total[:, None])
    return total, (share[..., None] * difference).sum(1) / variance


def check_score(points, *mixture):
    """The score is the gradient of the log density: central differences agree."""
    step = 1e-6
    _, score = log_density_and_score(points, *mixture)
    for axis in range(2):
        shift = np.zeros(2)
        shift[axis] = step
        slope = (log_density_and_score(points + shift, *mixture)[0] - log_density_and_score(points - shift, *mixture)[0]) / (2 * step)
        assert np.allclose(slope, score[:, axis], rtol=1e-5, atol=1e-5), np.abs(slope - score[:, axis]).max()


def world_tensors(world, points, bars):
    means, count = centers(world), world["classes"]
    out = {"centers": means, "points": points, "alphas_cumprod": bars, "times": np.array(TIMES), "noisy_weights": noisy_weights(world)}
    out.update({f"{kind}_{what}": [] for kind in ("clean", "noisy", "clean_all", "noisy_all") for what in ("log_density", "score")})
    for t in TIMES:
        bar = 1.0 if t < 0 else bars[t]
        def evaluate(weights, sigma):
            mixture = (np.sqrt(bar) * means, weights, bar * sigma ** 2 + 1 - bar)
            check_score(points[:8], *mixture)
            return log_density_and_score(points, *mixture)
        spread = world["sigma"] * world["inflation"]
        clean = [evaluate(np.eye(count)[k], world["sigma"]) for k in range(count)]
        noisy = [evaluate(noisy_weights(world)[k], spread) for k in range(count)]
        for kind, values in (("clean", clean), ("noisy", noisy)):
            out[f"{kind}_log_density"].append(np.stack([density for density, _ in values]))
            out[f"{kind}_score"].append(np.stack([score for _, score in values]))
        for kind, weights, sigma in (("clean_all", np.full(count, 1 / count), world["sigma"]), ("noisy_all", noisy_weights(world).mean(0), spread)):
            density, score = evaluate(weights, sigma)
            out[f"{kind}_log_density"].append(density)
            out[f"{kind}_score"].append(score)
    return {name: torch.from_numpy(np.stack(value) if isinstance(value, list) else value) for name, value in out.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    random = np.random.default_rng(40)
    bars = np.cumprod(1 - np.linspace(1e-3, 0.2, 100))
    entries, tensors = [], {}
    for index, world in enumerate(WORLDS):
        # Ordinary points, the origin (all modes equally far), and points so far out that a density underflows.
        points = np.concatenate([random.normal(0, 1.5, (12, 2)), [[0.0, 0.0], [30.0, -20.0], [0.0, 100.0]]])
        case = f"world{index}"
        tensors.update({f"{case}.{name}": tensor.contiguous() for name, tensor in world_tensors(world, points, bars).items()})
        entries.append({"case": case, **world})
    header = {"made_by": "tests/golden/make_gaussians2d_cases.py", "versions": case_files.versions()}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "worlds")


if __name__ == "__main__":
    main()
