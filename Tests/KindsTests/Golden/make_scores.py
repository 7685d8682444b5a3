#!/usr/bin/env python3
"""Writes scores.json: what the field's libraries make of given outputs and members. Run once; the result is committed.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install scikit-activeml==1.0.1 modAL-python==0.4.2.1 scipy==1.17.1
    /tmp/golden/bin/python Tests/KindsTests/Golden/make_scores.py

Raw values, as the libraries give them: nats, and shares of votes. What Flywheel scales them by stands in the tests.
"""

import json
from pathlib import Path

import numpy as np
import scipy.special
import scipy.stats
from modAL.disagreement import KL_max_disagreement, consensus_entropy, vote_entropy as modal_vote_entropy
from modAL.uncertainty import classifier_entropy, classifier_uncertainty
from skactiveml.pool import average_kl_divergence, uncertainty_scores, variation_ratios, vote_entropy


class Fixed:
    """A classifier, or a committee, that has its answer."""

    def __init__(self, answer, members=None):
        self.answer, self.members, self.classes_ = answer, members, np.arange(answer.shape[-1])
        self.n_members = 0 if members is None else members.shape[0]

    def __len__(self):
        return self.n_members

    def __iter__(self):
        return iter(range(self.n_members))

    def predict_proba(self, X, **kwargs):
        return self.answer

    def vote_proba(self, X, **kwargs):
        return np.transpose(self.members, (1, 0, 2))

    def vote(self, X, **kwargs):
        return np.transpose(self.members.argmax(axis=2))


def outputs():
    generator = np.random.default_rng(1)
    for classes in (2, 3, 10):
        for concentration in (0.1, 1.0, 10.0):
            yield from generator.dirichlet(np.full(classes, concentration), 4)
    yield np.array([1.0, 0.0, 0.0])
    yield np.array([0.5, 0.5, 0.0])
    yield np.full(4, 0.25)


def ensembles():
    generator = np.random.default_rng(2)
    for classes, members in ((2, 2), (3, 5), (10, 4), (4, 20)):
        for concentration in (0.1, 1.0, 10.0):
            yield generator.dirichlet(np.full(classes, concentration), members)
    yield np.eye(3)
    yield np.array([[0.2, 0.8], [0.2, 0.8]])
    yield np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def score_output(p):
    row, model = p[None], Fixed(p[None])
    logits = np.log(np.maximum(p, 1e-12)) * 1.7 + 0.3
    tempered = scipy.special.softmax(logits / 2.5)
    powered = p ** (1 / 2.5) / (p ** (1 / 2.5)).sum()
    margin = float(uncertainty_scores(row, method="margin_sampling")[0])
    entropy = float(scipy.stats.entropy(p))
    assert np.isclose(entropy, classifier_entropy(model, row)[0])
    assert np.isclose(uncertainty_scores(row, method="least_confident")[0], classifier_uncertainty(model, row)[0])
    two = np.sort(p)[::-1][:2]
    two_tempered = np.sort(tempered)[::-1][:2]
    return {
        "probabilities": p.tolist(),
        "logits": logits.tolist(),
        "least_confidence": float(uncertainty_scores(row, method="least_confident")[0]),
        "margin": margin,
        "entropy": float(uncertainty_scores(row, method="entropy")[0]),
        "ratio": float(two[1] / two[0]),
        "entropy_of_power": float(scipy.stats.entropy(powered)),
        "entropy_of_logits": float(scipy.stats.entropy(tempered)),
        "margin_of_logits": float(1 - (two_tempered[0] - two_tempered[1])),
    }


def score_members(m):
    mean = m.mean(axis=0)
    committee = Fixed(mean[None], m[:, None, :])
    votes = m.argmax(axis=1)[None]
    stacked = m[:, None, :]
    bald = float(scipy.stats.entropy(mean) - np.mean([scipy.stats.entropy(row) for row in m]))
    kl = float(average_kl_divergence(stacked.copy())[0])  # clips at 1e-7
    assert np.isclose(kl, bald, atol=1e-5), (kl, bald)
    consensus = float(consensus_entropy(committee, np.zeros((1, 1)))[0])
    assert np.isclose(consensus, scipy.stats.entropy(mean))
    voted = float(vote_entropy(votes, classes=list(range(m.shape[1])))[0])
    assert np.isclose(voted, modal_vote_entropy(committee, np.zeros((1, 1)))[0])
    return {
        "members": m.tolist(),
        "bald": bald,
        "kl_divergence": kl,
        "consensus_entropy": consensus,
        "vote_entropy": voted,
        "max_disagreement": float(KL_max_disagreement(committee, np.zeros((1, 1)))[0]),
        "variation_ratio": float(variation_ratios(votes)[0]),
    }


if __name__ == "__main__":
    golden = {
        "temperature": 2.5,
        "outputs": [score_output(p) for p in outputs()],
        "ensembles": [score_members(m) for m in ensembles()],
    }
    Path(__file__).with_name("scores.json").write_text(json.dumps(golden, indent=1) + "\n")
