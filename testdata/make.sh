#!/usr/bin/env bash
# Makes the golden cases again: make.sh [NAME...], a NAME being a file of requirements/ without its .txt.
#
# Each list is installed in an environment of its own, under the Python that its first line names
# (pythonX.Y must be on the PATH), by its pins alone: no dependency is resolved, and XGBoost's GPU
# libraries stay out. VENVS says where the environments go; they are kept, and used again.
set -euo pipefail
cd "$(dirname "$0")"
export PYTHONHASHSEED=0  # skl2onnx writes some of its sets as they come
venvs=${VENVS:-../.venv/testdata}
names=("$@")
[ ${#names[@]} -gt 0 ] || names=($(cd requirements && ls *.txt | sed 's/\.txt$//'))

for name in "${names[@]}"; do
  list=requirements/$name.txt
  python=$venvs/$name/bin/python
  if [ ! -x "$python" ]; then
    "python$(sed -n '1s/# Python //p' "$list")" -m venv "$venvs/$name"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$list"
  fi
  case $name in
    sklearn-*) makers=(make_sklearn*.py) ;;
    onnx) makers=(make_onnx.py make_onnx_graphs.py) ;;
    catboost-*) makers=(make_catboost.py) ;;
    lightgbm-*) makers=(make_lightgbm.py) ;;
    xgboost-3.4.0) makers=(make_xgboost.py make_xgboost_sklearn.py make_sklearn_columns.py) ;;
    xgboost-0.90 | xgboost-1.2.1 | xgboost-1.5.2) makers=(make_xgboost.py make_xgboost_sklearn.py) ;;
    *) makers=(make_xgboost.py) ;;
  esac
  for maker in "${makers[@]}"; do
    echo "$name: $maker"
    "$python" -B -W ignore "$maker" .
  done
done
