"""Makes the example: a volatility-signal model and its hold-out, from two daily index series.

    python3.11 -m venv .venv && .venv/bin/pip install -r requirements.txt
    .venv/bin/python make.py

It writes model.ubj, holdout.parquet and holdout.csv beside itself and prints the figures that the
README quotes. Every feature of a day uses that day's close or earlier, never later, and the split
is by date. It is deliberately not a trading strategy: nothing was searched for or tuned to pay, only
made to have the size and the shape of a signal model that people run.
"""

from pathlib import Path

import arch.data.default
import arch.data.nasdaq
import arch.data.sp500
import arch.data.wti
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost as xgb
from sklearn.metrics import log_loss, roc_auc_score

HERE = Path(__file__).parent
HORIZON = 5  # trading days ahead that the label looks
HOLDOUT_FROM = "2014-01-01"
CSV_ROWS = 50
TREES = 500
PARAMS = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 6,
    "eta": 0.01,
    "min_child_weight": 40,
    "subsample": 0.5,
    "colsample_bytree": 0.4,
    "lambda": 10.0,
    "seed": 7,
    "nthread": 1,  # sums of gradients, and so the trees, must not depend on the machine's cores
}


def zscore(x: pd.Series, window: int) -> pd.Series:
    """How many standard deviations x lies from its mean over the window; missing until it is full."""
    rolling = x.rolling(window)
    return (x - rolling.mean()) / rolling.std()


def rsi(close: pd.Series, window: int) -> pd.Series:
    """Wilder's relative strength index, 0 to 100."""
    change = close.diff()
    up = change.clip(lower=0).ewm(alpha=1 / window, min_periods=window).mean()
    down = (-change).clip(lower=0).ewm(alpha=1 / window, min_periods=window).mean()
    return 100 * up / (up + down)


def index_features(bars: pd.DataFrame) -> pd.DataFrame:
    """What one index says about itself."""
    close, volume = bars["Close"], bars["Volume"].astype(float).replace(0, np.nan)
    log_close = np.log(close)
    ret = log_close.diff()
    span = bars["High"] - bars["Low"]
    f = pd.DataFrame(index=bars.index)
    for lag in range(5):
        f[f"ret_lag{lag}"] = ret.shift(lag)
    for window in (5, 21, 63, 252):
        f[f"ret_{window}d"] = log_close.diff(window)
    for window in (5, 21, 63):
        f[f"vol_{window}d"] = ret.rolling(window).std() * np.sqrt(252)
    f["vol_ratio"] = f["vol_5d"] / f["vol_63d"]
    for window in (21, 63, 252):
        f[f"close_z_{window}d"] = zscore(log_close, window)
    f["rsi_14"] = rsi(close, 14)
    f["drawdown_252d"] = close / close.rolling(252).max() - 1
    # Five years of history: missing for a quarter of the training days.
    f["drawdown_1260d"] = close / close.rolling(1260).max() - 1
    f["gap"] = np.log(bars["Open"] / close.shift(1))
    f["range"] = span / close
    f["range_z_21d"] = zscore(np.log(span.where(span > 0)), 21)
    f["close_in_range"] = ((close - bars["Low"]) / span.where(span > 0))
    f["volume_z_21d"] = zscore(np.log(volume), 21)
    f["volume_z_63d"] = zscore(np.log(volume), 63)
    return f


def shared_features(dates: pd.DatetimeIndex) -> pd.DataFrame:
    """What is the same for both indices on a day: oil, credit, the calendar."""
    f = pd.DataFrame(index=dates)
    # Oil has no quote on some days on which shares trade. They stay missing, and so does every
    # window that holds one: nothing is filled in.
    oil = np.log(arch.data.wti.load()["DCOILWTICO"].reindex(dates))
    f["oil_ret_1d"] = oil.diff()
    f["oil_ret_21d"] = oil.diff(21)
    f["oil_vol_21d"] = oil.diff().rolling(21).std() * np.sqrt(252)
    # A month's average yield is known only once the month is over: use the month before.
    yields = arch.data.default.load()
    spread = (yields["BAA"] - yields["AAA"]).shift(1)
    f["credit_spread"] = spread.reindex(dates, method="ffill")
    f["credit_spread_3m"] = spread.diff(3).reindex(dates, method="ffill")
    f["weekday"] = dates.day_of_week
    f["days_closed"] = dates.to_series().diff().dt.days - 1
    return f


def louder_ahead(close: pd.Series) -> pd.Series:
    """Whether the next HORIZON days are more volatile than the last 21; missing where that is unknown."""
    ret = np.log(close).diff()
    ahead = np.sqrt((ret**2).rolling(HORIZON).mean().shift(-HORIZON))
    behind = ret.rolling(21).std()
    return (ahead > behind).where(ahead.notna() & behind.notna())


def dataset() -> tuple[pd.DataFrame, list[str]]:
    """One row a day and index, by date, S&P 500 first; and the names of the features."""
    bars = {0: arch.data.sp500.load(), 1: arch.data.nasdaq.load()}
    own = {k: index_features(b) for k, b in bars.items()}
    frames = []
    for is_nasdaq, f in own.items():
        other = own[1 - is_nasdaq].reindex(f.index)
        f = f.copy()
        f["rel_ret_1d"] = f["ret_lag0"] - other["ret_lag0"]
        f["rel_ret_21d"] = f["ret_21d"] - other["ret_21d"]
        f = f.join(shared_features(f.index))
        f["is_nasdaq"] = is_nasdaq
        features = list(f.columns)
        f["label"] = louder_ahead(bars[is_nasdaq]["Close"])
        frames.append(f)
    rows = pd.concat(frames).rename_axis("date").reset_index()
    rows = rows.sort_values(["date", "is_nasdaq"], kind="stable").dropna(subset="label")
    rows[features] = rows[features].astype(np.float32)
    rows["label"] = rows["label"].astype(np.int8)
    return rows, features


def main() -> None:
    rows, features = dataset()
    dates = np.sort(rows["date"].unique())
    # The labels of the last HORIZON days before the split look past it: leave those days out.
    last_train = dates[np.searchsorted(dates, np.datetime64(HOLDOUT_FROM)) - HORIZON - 1]
    train = rows[rows["date"] <= last_train]
    holdout = rows[rows["date"] >= HOLDOUT_FROM]

    data = xgb.DMatrix(train[features], train["label"], feature_names=features)
    booster = xgb.train(PARAMS, data, TREES)
    booster.save_model(HERE / "model.ubj")

    out = holdout[[*features, "label"]]
    table = pa.Table.from_pandas(out, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, HERE / "holdout.parquet", compression="zstd")
    # Nine digits give every f32 back to the bit.
    out.head(CSV_ROWS).to_csv(HERE / "holdout.csv", index=False, float_format="%.9g", lineterminator="\n")

    for name, part in (("training", train), ("hold-out", holdout)):
        p = booster.predict(xgb.DMatrix(part[features], feature_names=features))
        y, x = part["label"], part[features]
        print(
            f"{name}: {len(part)} rows, {part['date'].min():%Y-%m-%d} to {part['date'].max():%Y-%m-%d}, "
            f"positive {y.mean():.3f}, AUC {roc_auc_score(y, p):.4f}, log loss {log_loss(y, p):.4f} "
            f"(always the base rate of training: {log_loss(y, np.full(len(y), train['label'].mean())):.4f}), "
            f"missing {x.isna().to_numpy().mean():.2%} of values in {x.isna().any(axis=1).sum()} rows"
        )
    nodes = booster.trees_to_dataframe()
    print(
        f"model: {len(features)} features, {nodes['Tree'].nunique()} trees, {len(nodes)} nodes, "
        f"{(nodes['Feature'] == 'Leaf').sum()} leaves, used "
        f"{nodes.loc[nodes['Feature'] != 'Leaf', 'Feature'].nunique()} features"
    )


if __name__ == "__main__":
    main()
