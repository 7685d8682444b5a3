#!/usr/bin/env python3
"""Writes comparisons.json: what SciPy and statsmodels make of given samples. Run once; the result is committed.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install scipy==1.17.1 statsmodels==0.14.6 numpy==2.4.6
    /tmp/golden/bin/python Tests/StatisticsTests/Golden/make_comparisons.py

The bootstrap's resamples are drawn here by the generator of ours (SplitMix64, Lemire's bounded numbers), and SciPy is given their
means: what is compared is the intervals.
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        product = self.next() * bound
        if product & MASK < bound:
            threshold = (1 << 64) % bound
            while product & MASK < threshold:
                product = self.next() * bound
        return product >> 64


def mcnemars():
    for wins, losses in [(0, 0), (1, 0), (0, 3), (3, 3), (5, 1), (12, 11), (10, 14), (31, 9), (20, 40), (200, 150), (1000, 1100)]:
        table = [[50, wins], [losses, 7]]
        row = {"wins": wins, "losses": losses, "exact": float(mcnemar(table, exact=True).pvalue)}
        if wins + losses:
            plain, corrected = mcnemar(table, exact=False, correction=False), mcnemar(table, exact=False, correction=True)
            row |= {"statistic": float(plain.statistic), "asymptotic": float(plain.pvalue)}
            row |= {"corrected_statistic": float(corrected.statistic), "corrected": float(corrected.pvalue)}
            share = stats.binomtest(wins, wins + losses).proportion_ci(0.95, "exact")
            row["odds"] = [float(share.low / (1 - share.low)), float(share.high / (1 - share.high)) if share.high < 1 else None]
        yield row


def differences():
    generator = np.random.default_rng(1)
    yield generator.choice([-1.0, 0.0, 1.0], 40, p=[0.1, 0.7, 0.2])
    yield generator.choice([-1.0, 0.0, 1.0], 300, p=[0.05, 0.87, 0.08])
    yield np.round(generator.normal(0.1, 0.3, 18).clip(-1, 1), 3)
    yield np.round(generator.normal(0, 0.2, 7).clip(-1, 1), 3)
    yield generator.choice([-0.5, -0.25, 0.0, 0.25, 0.5], 15)
    yield generator.choice([-0.5, -0.25, 0.0, 0.25, 0.5, 1.0], 20)
    yield np.round(generator.beta(2, 2, 60) * 2 - 1, 4)


def bootstraps():
    for number, values in enumerate(differences()):
        generator = SplitMix64(number + 1)
        means = []
        for _ in range(999):
            total = 0.0
            for _ in range(len(values)):
                total += float(values[generator.below(len(values))])
            means.append(total / len(values))
        row = {"differences": values.tolist(), "seed": number + 1, "mean": float(values.mean())}
        given = stats.bootstrap((values,), np.mean, n_resamples=1, vectorized=True)
        given.bootstrap_distribution = np.array(means)
        for method, name in (("percentile", "percentile"), ("BCa", "bias_corrected")):
            for level in (0.95, 0.9):
                found = stats.bootstrap(
                    (values,), np.mean, n_resamples=0, bootstrap_result=given, method=method, confidence_level=level, vectorized=True
                )
                interval = found.confidence_interval
                row.setdefault(name, []).append([float(interval.low), float(interval.high)])
                row["standard_error"] = float(found.standard_error)
        yield row


def permutations():
    for values in differences():
        # Zeros do not affect the result, and only double the permutations of SciPy.
        if np.count_nonzero(values) > 20:
            continue
        signed = values[values != 0]
        row = {"differences": values.tolist()}
        for alternative in ("two-sided", "greater", "less"):
            found = stats.permutation_test(
                (signed, np.zeros_like(signed)),
                lambda a, b, axis=-1: np.mean(a - b, axis=axis),
                permutation_type="samples",
                n_resamples=np.inf,
                vectorized=True,
                batch=1 << 14,
                alternative=alternative,
            )
            row[alternative.replace("two-sided", "both")] = float(found.pvalue)
        yield row


def unpaired():
    generator = np.random.default_rng(2)
    samples = [
        (np.round(generator.normal(0.9, 0.02, 5), 4), np.round(generator.normal(0.92, 0.01, 5), 4)),
        (np.round(generator.normal(0.9, 0.02, 20), 5), np.round(generator.normal(0.905, 0.03, 14), 5)),
        (np.round(generator.normal(0, 1, 3), 4), np.round(generator.normal(5, 1, 19), 4)),
        (np.round(generator.normal(0.9, 0.02, 12), 2), np.round(generator.normal(0.91, 0.02, 9), 2)),
        (generator.integers(0, 4, 40).astype(float), generator.integers(0, 5, 25).astype(float)),
        (np.round(generator.normal(0, 1, 60), 5), np.round(generator.normal(0.3, 2, 45), 5)),
        (np.array([1.0, 1.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0, 1.0])),
    ]
    for first, second in samples:
        welch = stats.ttest_ind(first, second, equal_var=False)
        interval = welch.confidence_interval(0.95)
        n, m = len(first), len(second)
        is_exact = len(set(first) | set(second)) == n + m and n <= 20 and m <= 20
        whitney = stats.mannwhitneyu(first, second, method="exact" if is_exact else "asymptotic", alternative="two-sided")
        pooled = ((n - 1) * first.var(ddof=1) + (m - 1) * second.var(ddof=1)) / (n + m - 2)
        yield {
            "first": first.tolist(),
            "second": second.tolist(),
            "welch": {
                "statistic": float(welch.statistic),
                "degrees": float(welch.df),
                "p_value": float(welch.pvalue),
                "interval": [float(interval.low), float(interval.high)],
            },
            "whitney": {"statistic": float(whitney.statistic), "p_value": float(whitney.pvalue), "is_exact": is_exact},
            # Cliff's delta is Somers' D of the values with respect to their sample.
            "cliffs_delta": float(stats.somersd([1] * n + [0] * m, np.concatenate([first, second])).statistic),
            "cohens_d": float((first.mean() - second.mean()) / np.sqrt(pooled)),
        }


def students():
    for degrees in (1.0, 2.5, 7.0, 30.0, 400.0):
        # With one degree of freedom, SciPy's tails have an error of 3e-9 at t = 1e-8.
        for t in (0.0, 1e-3, 0.3, 1.0, 2.5, 9.0, 60.0):
            yield {"t": t, "degrees": degrees, "tails": float(2 * stats.t.sf(t, degrees))}


def quantiles():
    for degrees in (1.0, 2.5, 7.0, 30.0, 400.0):
        for p in (1e-6, 0.025, 0.4, 0.5, 0.9, 0.975, 0.9995):
            yield {"p": p, "degrees": degrees, "quantile": float(stats.t.ppf(p, degrees))}


def main():
    golden = {
        "mcnemar": list(mcnemars()),
        "bootstrap": list(bootstraps()),
        "permutation": list(permutations()),
        "unpaired": list(unpaired()),
        "student": list(students()),
        "student_quantile": list(quantiles()),
    }
    path = Path(__file__).with_name("comparisons.json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


main()
