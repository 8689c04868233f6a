"""Networks as scikit-learn estimators: its own checks, pipelines, searches, Optuna; what they promise beyond that."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import tinygrad_notes as tn
from tinygrad_notes import nn, optim
from tinygrad_notes.train.callbacks import Clip, Schedule
from tinygrad_notes.train.estimators import NeuralClassifier, NeuralRegressor

FAST = {"hidden": (16,), "lr": 0.03, "epochs": 15}


@parametrize_with_checks([NeuralClassifier(**FAST), NeuralRegressor(**FAST)])
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_it_learns_moons() -> None:
    X, y = make_moons(200, noise=0.1, random_state=0)
    labels = np.array(["left", "right"])[y]
    model = NeuralClassifier(hidden=(32, 32), lr=0.01, epochs=40, random_state=0).fit(X, labels)
    assert model.score(X, labels) > 0.97
    assert set(model.predict(X)) == {"left", "right"}
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1)
    assert [row["epoch"] for row in model.history_] == list(range(1, 41))
    assert model.history_[-1]["loss"] < model.history_[0]["loss"] / 4


def test_a_seed_repeats_a_fit_and_the_global_stream_is_left_alone() -> None:
    X, y = make_moons(60, noise=0.1, random_state=0)
    before = tn.get_rng_state().tolist()
    a, b, c = (NeuralClassifier(dropout=0.3, epochs=3, random_state=s).fit(X, y).predict_proba(X) for s in (1, 1, 2))
    assert tn.get_rng_state().tolist() == before
    assert a.tobytes() == b.tobytes() != c.tobytes()
    single = NeuralClassifier(epochs=2, random_state=1).fit(X.astype("f4"), y)
    assert single.predict_proba(X.astype("f4")).dtype == np.float32


class Columns(nn.Module):
    """Features as steps of a sequence."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.lstm = nn.LSTM(1, 6, batch_first=True)
        self.head = nn.Linear(6, outputs)

    def forward(self, x: tn.Tensor) -> tn.Tensor:
        scores: tn.Tensor = self.head(self.lstm(x)[0][:, -1])
        return scores


def test_a_network_of_ones_own_in_a_pipeline_and_a_search() -> None:
    X, y = load_iris(return_X_y=True)
    network = NeuralClassifier(Columns, input_shape=(4, 1), lr=0.05, epochs=15, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network), {"neuralclassifier__lr": [1e-6, 0.05]}, cv=2, error_score="raise"
    ).fit(X, y)
    assert search.best_params_ == {"neuralclassifier__lr": 0.05}
    assert search.best_score_ > 0.8
    assert isinstance(search.best_estimator_[-1].module_, Columns)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert again.predict(X).tolist() == search.predict(X).tolist()


def test_early_stopping_rolls_back() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 10)), rng.integers(0, 2, 80)
    model = NeuralClassifier(lr=0.02, epochs=200, validation_fraction=0.25, patience=3, random_state=0).fit(X, y)
    values = [row["validation loss"] for row in model.history_]
    assert model.n_iter_ == len(values) == int(np.argmin(values)) + 1 + 4 < 200


def test_regression_of_several_targets_and_callbacks() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    Y = np.stack([X @ [1, 2, 3], np.sin(X[:, 0])], 1)
    clip = Clip(norm=1.0)
    model = NeuralRegressor(lr=0.02, epochs=60, random_state=0, callbacks=[clip], optimizer="AdamW", weight_decay=1e-4)
    assert model.fit(X, Y).predict(X).shape == (100, 2)
    assert model.score(X, Y) > 0.9
    assert np.isnan(clip.last_norm), "a copy was told"
    assert cross_val_score(clone(model), X, Y[:, 0], cv=2).min() > 0.8
    robust = NeuralRegressor(loss=nn.functional.l1_loss, epochs=2, random_state=0).fit(X, Y)
    assert robust.history_[0]["loss"] != model.history_[0]["loss"]


def test_an_optimizer_of_ones_own_and_a_schedule() -> None:
    X, y = make_moons(60, noise=0.1, random_state=0)
    by_name = NeuralClassifier(optimizer="Adam", epochs=3, random_state=0).fit(X, y)
    made = NeuralClassifier(optimizer=optim.Adam, epochs=3, random_state=0).fit(X, y)
    assert by_name.predict_proba(X).tolist() == made.predict_proba(X).tolist()
    other = NeuralClassifier(optimizer=partial(optim.Adam, betas=(0.5, 0.9)), epochs=3, random_state=0).fit(X, y)
    assert other.history_[-1]["loss"] != by_name.history_[-1]["loss"]
    decay = Schedule(partial(optim.lr_scheduler.ExponentialLR, gamma=0.5))
    slow = clone(by_name).set_params(callbacks=[decay]).fit(X, y)
    assert clone(slow).fit(X, y).history_ == slow.history_, "the schedule starts anew in each fit"
    assert slow.history_[0] == by_name.history_[0]
    assert slow.history_[-1]["loss"] > by_name.history_[-1]["loss"]


def test_optuna_finds_a_learning_rate_that_learns() -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    X, y = load_iris(return_X_y=True)

    def objective(trial: Any) -> float:
        lr = trial.suggest_float("lr", 1e-6, 0.1, log=True)
        model = make_pipeline(StandardScaler(), NeuralClassifier(lr=lr, epochs=5, random_state=0))
        return float(cross_val_score(model, X, y, cv=2).mean())

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=6)
    assert study.best_value > 0.8
    assert study.best_params["lr"] > 1e-4


@pytest.mark.parametrize(
    ("settings", "kind", "match"),
    [
        ({"optimizer": "Adamant"}, ValueError, "'Adamant' is no optimizer"),
        ({"optimizer": "lr_scheduler"}, ValueError, "is no optimizer"),
        ({"validation_fraction": 1.0}, ValueError, r"must lie in \[0, 1\), got 1.0"),
        ({"input_shape": (3, 1)}, ValueError, r"input_shape=\(3, 1\) does not hold the 4 features"),
        ({"module": lambda inputs, outputs: 3}, TypeError, "must make an nn.Module, it made int"),
        ({"batch_size": 0}, ValueError, "batch_size must be a positive integer"),
        ({"epochs": -1}, ValueError, "0 or more"),
        ({"lr": -1.0}, ValueError, "lr must lie in"),
    ],
)
def test_bad_parameters_are_refused_when_fitting(settings: dict[str, Any], kind: type[Exception], match: str) -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(kind, match=match):
        NeuralClassifier(**settings).fit(X, y)


def test_without_scikit_learn_the_error_says_what_to_install() -> None:
    code = """
import sys
sys.modules["sklearn"] = None
import tinygrad_notes.train
try:
    import tinygrad_notes.train.estimators
except ImportError as error:
    assert "pip install 'tinygrad-notes[sklearn]'" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)
