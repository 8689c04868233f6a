"""Networks as scikit-learn estimators, so that its pipelines, splitters and searches (and Optuna) work with them.

Needs scikit-learn: ``pip install 'tinygrad-notes[sklearn]'``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from copy import deepcopy
from itertools import pairwise
from typing import Any, Self

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("tinygrad_notes.train.estimators needs scikit-learn: pip install 'tinygrad-notes[sklearn]'") from error

from .. import nn, optim
from ..functions.generator import default_generator
from ..modes import no_grad
from ..nn import functional as F
from ..tensor import Tensor, from_array
from ..utils.data import DataLoader, TensorDataset
from .callbacks import EarlyStopping, Progress
from .fit import Fit

__all__ = ["NeuralClassifier", "NeuralRegressor"]

Array = np.ndarray[Any, Any]
_CHUNK = 1024  # examples that are predicted at once


class _Neural(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share: parameters, training, prediction."""

    _loss: Callable[[Tensor, Tensor], Tensor]

    def __init__(
        self,
        module: Callable[[int, int], nn.Module] | None = None,
        *,
        hidden: Sequence[int] = (64,),
        dropout: float = 0.0,
        input_shape: tuple[int, ...] | None = None,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        optimizer: str | Callable[..., optim.Optimizer] = "Adam",
        lr: float = 3e-3,
        weight_decay: float = 0.0,
        epochs: int = 50,
        batch_size: int = 32,
        validation_fraction: float = 0.0,
        patience: int = 5,
        callbacks: Sequence[Any] = (),
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.module, self.hidden, self.dropout, self.input_shape, self.loss = module, hidden, dropout, input_shape, loss
        self.optimizer, self.lr, self.weight_decay, self.epochs, self.batch_size = (
            optimizer,
            lr,
            weight_decay,
            epochs,
            batch_size,
        )
        self.validation_fraction, self.patience, self.callbacks = validation_fraction, patience, callbacks
        self.random_state, self.verbose = random_state, verbose

    def _train(self, X: Array, y: Array, outputs: int, stratify: Array | None) -> None:
        """Learn from X ``(N, features)`` and y as the loss takes it; sets module_, history_ and n_iter_."""
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(f"{type(self).__name__}: validation_fraction must lie in [0, 1), got {self.validation_fraction}")
        make: Any = self.optimizer if callable(self.optimizer) else getattr(optim, self.optimizer, None)
        if isinstance(self.optimizer, str) and not (isinstance(make, type) and issubclass(make, optim.Optimizer)):
            raise ValueError(f"{type(self).__name__}: {self.optimizer!r} is no optimizer of tinygrad_notes.optim")
        seed = int(check_random_state(self.random_state).randint(2**31))
        held_out, callbacks = None, deepcopy(list(self.callbacks))
        if self.validation_fraction:
            share = {"test_size": self.validation_fraction, "random_state": seed, "stratify": stratify}
            X, x_held, y, y_held = train_test_split(X, y, **share)
            held_out = DataLoader(self._examples(x_held, y_held), self.batch_size)
            callbacks.append(EarlyStopping(self.patience))
        if self.verbose:
            callbacks.append(Progress())
        with _seeded(seed):
            self.module_ = self._network(outputs).to(X.dtype)
            rates: dict[str, Any] = {"lr": self.lr, **({"weight_decay": self.weight_decay} if self.weight_decay else {})}
            optimizer = make(self.module_.parameters(), **rates)
            loader = DataLoader(self._examples(X, y), self.batch_size, shuffle=True)
            run = Fit(self.module_, self.loss or self._loss, optimizer, loader, validation=held_out, callbacks=callbacks)
            self.history_ = run.run(self.epochs)
        self.module_.eval().zero_grad()
        self.n_iter_ = len(self.history_)

    def _network(self, outputs: int) -> nn.Module:
        if self.module is not None:
            made = self.module(self.n_features_in_, outputs)
            if not isinstance(made, nn.Module):
                raise TypeError(f"{type(self).__name__}: module must make an nn.Module, it made {type(made).__name__}")
            return made
        layers: list[nn.Module] = [] if self.input_shape is None else [nn.Flatten()]
        widths = [self.n_features_in_, *self.hidden]
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU(), *([nn.Dropout(self.dropout)] if self.dropout else [])]
        return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))

    def _examples(self, X: Array, y: Array) -> TensorDataset:
        return TensorDataset(self._inputs(X), from_array(np.array(y)))

    def _inputs(self, X: Array) -> Tensor:
        shape = X.shape[1:] if self.input_shape is None else tuple(self.input_shape)
        if int(np.prod(shape)) != X.shape[1]:
            raise ValueError(
                f"{type(self).__name__}: input_shape={shape} does not hold the {X.shape[1]} features of an example"
            )
        return from_array(np.array(X).reshape(len(X), *shape))

    def _outputs(self, X: Any) -> Array:
        """What the network says, ``(N, outputs)``."""
        check_is_fitted(self)
        given = self._inputs(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))
        given = given.to(next(self.module_.parameters()).dtype)
        with no_grad():
            return np.concatenate([self.module_(given[i : i + _CHUNK]).numpy() for i in range(0, len(given), _CHUNK)])


class NeuralClassifier(ClassifierMixin, _Neural):  # type: ignore[misc]
    """A network that classifies, trained on softmax cross-entropy.

    module       makes the network: called with the numbers of features and of classes; default: a multilayer perceptron
    hidden       units of its hidden layers, ``dropout`` behind each
    input_shape  what the features of an example are reshaped to before the network gets them: ``(29, 1)``, ``(1, 8, 8)``
    loss         of (logits ``(N, K)``, class numbers ``(N,)``); default ``F.cross_entropy``
    optimizer    name in ``tinygrad_notes.optim``, with ``lr`` and ``weight_decay``; or what makes one of parameters and these, as
                 ``partial(optim.Adam, betas=(0.8, 0.99))``
    epochs, batch_size   of training; batches are shuffled
    validation_fraction  above 0: that share is held out, and training stops early (``patience`` epochs) and rolls back
    callbacks    more callbacks of ``train.Fit``; each ``fit`` uses copies
    random_state seeds weights, dropout and order; the global stream of random numbers is left alone
    verbose      with a progress bar
    After ``fit``: module_, classes_, history_ (a row per epoch), n_iter_, n_features_in_.
    """

    _loss = staticmethod(F.cross_entropy)

    def fit(self, X: Any, y: Any) -> Self:
        """X ``(N, features)``, y ``(N,)`` labels of any kind."""
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        self.classes_, numbers = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        self._train(X, numbers, len(self.classes_), numbers)
        return self

    def predict_proba(self, X: Any) -> Array:
        """Probabilities ``(N, classes)``, in the order of ``classes_``."""
        shares: Array = F.softmax(from_array(self._outputs(X)), -1).numpy()
        return shares

    def predict(self, X: Any) -> Array:
        """The likeliest class of each example, ``(N,)``."""
        likeliest = self._outputs(X).argmax(-1)
        chosen: Array = self.classes_[likeliest]
        return chosen


class NeuralRegressor(RegressorMixin, _Neural):  # type: ignore[misc]
    """A network that predicts numbers, trained on the mean square error. Parameters as of ``NeuralClassifier``; loss: of
    (output, target), both ``(N, targets)``; default ``F.mse_loss``. Targets may be several per example.
    """

    _loss = staticmethod(F.mse_loss)

    def fit(self, X: Any, y: Any) -> Self:
        """X ``(N, features)``, y ``(N,)`` or ``(N, targets)``."""
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=True)
        self._flat = y.ndim == 1
        aims = np.asarray(y, X.dtype).reshape(len(y), -1)
        self._train(X, aims, aims.shape[1], None)
        return self

    def predict(self, X: Any) -> Array:
        """``(N,)`` or ``(N, targets)``, as y was."""
        found = self._outputs(X)
        return found[:, 0] if self._flat else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


@contextmanager
def _seeded(seed: int) -> Any:
    """Random numbers from ``seed`` inside; the global stream goes on afterwards as if nothing had been drawn."""
    before = default_generator.get_state()
    default_generator.manual_seed(seed)
    try:
        yield
    finally:
        default_generator.set_state(before)
