"""Makes digits.csv: a part of the UCI optical digits (Alpaydin, Kaynak 1998, CC BY 4.0) and what scikit-learn says of it.

Run once with scikit-learn; the lines are
  train,<label>,<64 pixels 0..16>
  test,<label>,<64 pixels>,<10 probabilities>
  loss,<value of the objective at scikit-learn's minimum>
for LogisticRegression(C=0.5) on pixels divided by 16, trained on the "train" lines.
"""
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

X, y = load_digits(return_X_y=True)
train, test = slice(0, 150), slice(1000, 1050)
C = 0.5
model = LogisticRegression(C=C, tol=1e-12, max_iter=100_000).fit(X[train] / 16, y[train])
p = model.predict_proba(X[test] / 16)
q = model.predict_proba(X[train] / 16)
loss = -C * np.log(q[np.arange(150), y[train]]).sum() + 0.5 * (model.coef_**2).sum()
with open("digits.csv", "w") as out:
    for label, row in zip(y[train], X[train]):
        print("train", label, *row.astype(int), sep=",", file=out)
    for label, row, probabilities in zip(y[test], X[test], p):
        print("test", label, *row.astype(int), *(f"{v:.12g}" for v in probabilities), sep=",", file=out)
    print("loss", repr(float(loss)), sep=",", file=out)
