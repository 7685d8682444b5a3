#!/usr/bin/env python3
"""Makes an example of existing data from scikit-learn's digits (docs/guides/adopting.md): a serving model, labels, held-out
labels for scores, and a pool of unlabeled samples."""
import argparse, csv, json, pathlib

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--out", type=pathlib.Path, default=pathlib.Path("adopt"), help="folder for the files")
options = options.parse_args()
options.out.mkdir(parents=True, exist_ok=True)
digits = load_digits()
order = np.random.default_rng(1).permutation(len(digits.data))
labels, holdout, pool = order[:120], order[120:180], order[180:680]

# A weak model in the format of `product_service.py` and `sklearn_trainer.py`: it has seen about three examples of each class.
model = LogisticRegression().fit(digits.data[labels[:30]] / 16, digits.target[labels[:30]].astype(str))
text = json.dumps({"classes": model.classes_.tolist(), "coef": model.coef_.tolist(), "intercept": model.intercept_.tolist()})
(options.out / "model.json").write_text(text)
accuracy = model.score(digits.data[holdout] / 16, digits.target[holdout].astype(str))

with (options.out / "labels.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["image", "digit", "who", "embedding"])
    for number in labels:
        for annotator in ("ada", "bob"):  # Each row is one person's vote.
            rows.writerow([f"img-{number}", digits.target[number], annotator, " ".join(map(str, digits.data[number] / 16))])
with (options.out / "holdout.jsonl").open("w") as file:
    for number in holdout:
        row = {"id": f"img-{number}", "label": int(digits.target[number]), "embedding": (digits.data[number] / 16).tolist()}
        file.write(json.dumps(row) + "\n")
with (options.out / "pool.jsonl").open("w") as file:
    for number in pool:
        content = {"kind": "inline", "media_type": "application/json", "data": json.dumps(digits.data[number].tolist())}
        sample = {"id": f"img-{number}", "content": content, "embedding": (digits.data[number] / 16).tolist()}
        file.write(json.dumps({"sample": sample}) + "\n")
print(f"accuracy={accuracy:.4f}")
