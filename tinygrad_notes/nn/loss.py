"""Losses and distances as modules; called with the arguments of the function that have no setting here."""

from __future__ import annotations

from . import functional as F
from .applied import Applied

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss", "ExponentialLoss",
    "GaussianNLLLoss", "HingeEmbeddingLoss", "HingeLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss",
    "MultiMarginLoss", "NLLLoss", "PairwiseDistance", "PoissonNLLLoss", "QuantileLoss", "SmoothL1Loss", "SoftMarginLoss",
    "TripletMarginLoss",
]  # fmt: skip


class MSELoss(Applied, function=F.mse_loss, settings="reduction", shown=False):
    """``(input - target)²``."""


class L1Loss(Applied, function=F.l1_loss, settings="reduction", shown=False):
    """``|input - target|``."""


class HuberLoss(Applied, function=F.huber_loss, settings="reduction delta", shown=False):
    """Quadratic up to ``delta``, then linear."""


class SmoothL1Loss(Applied, function=F.smooth_l1_loss, shown=False):
    """``HuberLoss`` divided by ``beta``."""


class QuantileLoss(Applied, function=F.quantile_loss, shown=False):
    """The input becomes the q-quantile of the target."""


class PoissonNLLLoss(Applied, function=F.poisson_nll_loss, shown=False):
    """Of the input as the (logarithms of the) rates of a Poisson distribution of counts."""


class GaussianNLLLoss(Applied, function=F.gaussian_nll_loss, shown=False):
    """Of the input as the mean of a normal distribution with the given variance."""


class BCELoss(Applied, function=F.binary_cross_entropy, shown=False):
    """Binary cross-entropy of probabilities."""


class BCEWithLogitsLoss(Applied, function=F.binary_cross_entropy_with_logits, shown=False):
    """Binary cross-entropy of logits."""


class HingeLoss(Applied, function=F.hinge_loss, shown=False):
    """``max(0, margin - target * input)``."""


class ExponentialLoss(Applied, function=F.exponential_loss, shown=False):
    """``exp(-target * input)``."""


class MultiMarginLoss(Applied, function=F.multi_margin_loss, shown=False):
    """The score of the true class should be above all others, by a margin."""


class SoftMarginLoss(Applied, function=F.soft_margin_loss, shown=False):
    """``log(1 + exp(-target * input))``."""


class NLLLoss(Applied, function=F.nll_loss, shown=False):
    """Of the log-probabilities of classes."""


class CrossEntropyLoss(Applied, function=F.cross_entropy, shown=False):
    """Of the logits of classes, against labels or probabilities."""


class KLDivLoss(Applied, function=F.kl_div, shown=False):
    """Kullback-Leibler divergence from log-probabilities."""


class CosineEmbeddingLoss(Applied, function=F.cosine_embedding_loss, shown=False):
    """Pulls vectors together in angle, or apart."""


class HingeEmbeddingLoss(Applied, function=F.hinge_embedding_loss, shown=False):
    """Of distances: small ones wanted, or ones above the margin."""


class MarginRankingLoss(Applied, function=F.margin_ranking_loss, shown=False):
    """One of two numbers should be the larger, by a margin."""


class TripletMarginLoss(Applied, function=F.triplet_margin_loss, shown=False):
    """The anchor should be nearer to the positive than to the negative, by a margin."""


class CosineSimilarity(Applied, function=F.cosine_similarity, settings="dim eps", shown=False):
    """The cosine of the angle between vectors along ``dim``."""


class PairwiseDistance(Applied, function=F.pairwise_distance, settings="p eps keepdim", shown=False):
    """The norm of the difference over the last axis."""
