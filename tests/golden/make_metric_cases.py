"""Writes what NumPy and SciPy make of quantiles, bootstrap intervals, matrices' eigenvalues and distances of features.

    python make_metric_cases.py --packed tests/golden/metrics
"""
import argparse
import pathlib

import numpy as np
import scipy.linalg
import scipy.stats
import torch

import case_files

SETS = [(40, 30, 6), (9, 12, 16), (2, 2, 3), (90, 70, 10), (64, 64, 1)]  # N, M, D: also fewer samples than dimensions
RESAMPLES = 60000


def quantiles(random):
    for index, count in enumerate((1, 2, 7, 40)):
        values = random.normal(0, 3, count)
        q = np.array([0, 0.025, 0.3, 0.5, 0.975, 1])
        yield {"case": f"quantile{index}", "kind": "quantile"}, {"values": values, "q": q, "expected": np.quantile(values, q)}


def ratio(sums, counts, axis=-1):
    return sums.sum(axis) / counts.sum(axis)


def one_stratum(random):
    """SciPy's percentile bootstrap of a ratio of sums, pairs of them resampled together."""
    counts = random.integers(1, 6, 37).astype(float)
    sums = counts * random.beta(0.5, 0.7, 37)
    found = scipy.stats.bootstrap((sums, counts), ratio, paired=True, method="percentile", n_resamples=RESAMPLES, vectorized=True,
                                  batch=5000, rng=random).confidence_interval
    stratum = np.zeros(37, dtype=np.int64)
    yield {"case": "bootstrap0", "kind": "bootstrap", "runs": 1}, {
        "stratum": stratum, "sum": sums, "count": counts, "all": np.array([ratio(sums, counts), found.low, found.high]),
        "mean_of_strata": np.array([ratio(sums, counts), found.low, found.high])}


def resample(random, sums, counts, stratum, runs):
    """One resample, written as loops: [2 + strata] means."""
    drawn = random.integers(0, len(sums), len(sums)) if runs else np.arange(len(sums))
    totals, means = np.zeros(2), []
    for s in range(stratum.max() + 1):
        members = np.flatnonzero(stratum == s)
        chosen = random.choice(members, len(members))
        part = np.array([sums[drawn][:, chosen].sum(), counts[drawn][:, chosen].sum()])
        totals += part
        means.append(part[0] / part[1])
    return np.array([totals[0] / totals[1], np.mean(means), *means])


def strata(random):
    for index, (run_count, runs) in enumerate(((1, False), (3, False), (3, True))):
        stratum = np.array([0] * 14 + [2] * 9 + [1] * 21)
        random.shuffle(stratum)
        counts = random.integers(1, 5, (run_count, len(stratum))).astype(float)
        sums = counts * (random.normal(0, 1, counts.shape) + 2 * stratum + 0.5 * np.arange(run_count)[:, None])
        found = np.array([resample(random, sums, counts, stratum, runs) for _ in range(RESAMPLES // 4)])
        low, high = np.quantile(found, [0.025, 0.975], axis=0)
        means = [sums[:, stratum == s].sum() / counts[:, stratum == s].sum() for s in range(3)]
        rows = np.stack([np.array([sums.sum() / counts.sum(), np.mean(means), *means]), low, high], 1)
        yield {"case": f"bootstrap{index + 1}", "kind": "bootstrap", "runs": run_count, "resample_runs": runs}, {
            "stratum": stratum, "sum": sums, "count": counts, "all": rows[0], "mean_of_strata": rows[1], "strata": rows[2:]}


def eigen(random):
    for index, size in enumerate((1, 2, 5, 33, 48)):
        matrix = random.normal(0, 1, (size, size))
        matrix = matrix + matrix.T
        if index == 2:
            matrix = np.diag([3.0, 3.0, -1.0, 0.0, 3.0])  # repeated, zero and negative eigenvalues
        if index == 3:
            low = random.normal(0, 1, (size, 4))
            matrix = low @ low.T  # of rank 4
        yield {"case": f"eigen{index}", "kind": "eigen"}, {"matrix": matrix, "values": np.linalg.eigvalsh(matrix)}


def centred(x):
    return (x - x.mean(0)) / np.sqrt(len(x) - 1)


def frechet(x, y):
    """tr sqrt(S1 S2) is the nuclear norm of A B^T, A and B the centred sets over sqrt(n - 1): exact at any rank."""
    cross = np.linalg.svd(centred(x) @ centred(y).T, compute_uv=False).sum()
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + (centred(x) ** 2).sum() + (centred(y) ** 2).sum() - 2 * cross


def frechet_by_root(x, y):
    """pytorch-fid's formula, by SciPy's matrix square root."""
    a, b = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * np.trace(scipy.linalg.sqrtm(a @ b)).real


def kernel_distance(x, y):
    """Unbiased MMD^2 with (x.y / d + 1)^3."""
    k = [(a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
    n, m = len(x), len(y)
    return (k[0].sum() - np.trace(k[0])) / (n * (n - 1)) + (k[1].sum() - np.trace(k[1])) / (m * (m - 1)) - 2 * k[2].mean()


def vendi(x):
    """exp of the entropy of the eigenvalues of the cosine kernel over N."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit @ unit.T / len(x))
    values = values[values > 1e-12]
    return np.exp(-(values * np.log(values)).sum())


def cosine_spread(x, group):
    """Mean over groups of the mean of 1 - cosine over their pairs."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    means = []
    for g in np.unique(group):
        members = unit[group == g]
        if len(members) > 1:
            means.append(np.mean([1 - a @ b for i, a in enumerate(members) for b in members[:i]]))
    return np.mean(means)


def features(random):
    for index, (n, m, d) in enumerate(SETS):
        mix = random.normal(0, 1, (d, d))
        x, y = random.normal(0.3, 1, (n, d)) @ mix, random.normal(0, 1.4, (m, d)) + 0.2
        group = random.integers(0, max(1, n // 3), n)
        group[:2] = 0
        distance = frechet(x, y)
        if min(n, m) > 2 * d:
            assert abs(frechet_by_root(x, y) / distance - 1) < 1e-8
        numbers = [distance, kernel_distance(x, y), vendi(x), cosine_spread(x, group)]
        yield {"case": f"features{index}", "kind": "features"}, {"x": x, "y": y, "group": group, "expected": np.array(numbers)}


def inception(random):
    for index, (n, classes, splits) in enumerate(((50, 7, 10), (23, 3, 4), (5, 2, 1))):
        logits = random.normal(0, 3, (n, classes))
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        scores = []
        for k in range(splits):
            part = p[k * n // splits:(k + 1) * n // splits]
            scores.append(np.exp((part * (np.log(part) - np.log(part.mean(0)))).sum(1).mean()))
        yield {"case": f"inception{index}", "kind": "inception", "splits": splits}, {
            "logits": logits, "expected": np.array([np.mean(scores), np.std(scores)])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    random = np.random.default_rng(70)
    entries, tensors = [], {}
    for make in (quantiles, one_stratum, strata, eigen, features, inception):
        for entry, arrays in make(random):
            entries.append(entry)
            tensors.update({f"{entry['case']}.{name}": torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()})
    header = {"made_by": "tests/golden/make_metric_cases.py", "versions": case_files.versions("scipy")}
    print(case_files.write_lines(arguments.packed, entries, tensors, header), "cases")


if __name__ == "__main__":
    main()
