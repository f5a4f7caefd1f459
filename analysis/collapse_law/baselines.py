"""What a law must beat: the best constant, and two ways to learn rates from a configuration's fields as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

Rates = Float[np.ndarray, " settings"]
Counts = Int[np.ndarray, " settings"]
Predictor = Callable[[pd.DataFrame], Rates]


def constant(fields: pd.DataFrame, lost: Counts, members: Counts) -> Predictor:
    """The same rate for every setting: the median, which has the least mean absolute error."""
    rate = float(np.median(lost / members))
    return lambda fields: np.full(len(fields), rate)


def logistic(fields: pd.DataFrame, lost: Counts, members: Counts) -> Predictor:
    """Logistic regression on the fields, logarithms of the numbers; names are columns of 0 and 1."""
    return _fitted(LogisticRegression(max_iter=5000), fields, lost, members)


def trees(fields: pd.DataFrame, lost: Counts, members: Counts) -> Predictor:
    """Gradient-boosted trees (Friedman, 2001) on the same."""
    return _fitted(HistGradientBoostingClassifier(random_state=0), fields, lost, members)


BASELINES = {"constant": constant, "logistic regression": logistic, "boosted trees": trees}


def _fitted(estimator: Any, fields: pd.DataFrame, lost: Counts, members: Counts) -> Predictor:
    numbers = make_pipeline(FunctionTransformer(np.log), StandardScaler())
    names = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [("numbers", numbers, make_column_selector(dtype_include="number")),
         ("names", names, make_column_selector(dtype_exclude="number"))]
    )  # fmt: skip
    columns.set_output(transform="default")
    pipeline = make_pipeline(columns, estimator)
    fates = np.repeat([1, 0], len(fields))
    weight = {f"{type(estimator).__name__.lower()}__sample_weight": np.concatenate([lost, members - lost])}
    pipeline.fit(pd.concat([fields, fields], ignore_index=True), fates, **weight)
    return lambda fields: pipeline.predict_proba(fields)[:, 1]
