"""Writes estimators.txt: every estimator of the installed scikit-learn, its module, and its kind.

    PYTHON make_estimators.py OUT

The support table (docs/support.md) asks the importer about each of them.
"""

import sys
import warnings

import sklearn
from sklearn.utils import all_estimators

warnings.simplefilter("ignore")
KINDS = ("classifier", "regressor", "cluster", "transformer")
of_kind = {kind: {name for name, _ in all_estimators(kind)} for kind in KINDS}
with open(f"{sys.argv[1]}/estimators.txt", "w") as out:
    out.write(f"# scikit-learn {sklearn.__version__}\n")
    for name, estimator in sorted(all_estimators()):
        kind = next((k for k in KINDS if name in of_kind[k]), "other")
        out.write(f"{name} {estimator.__module__} {kind}\n")
