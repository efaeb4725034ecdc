"""Contrastive losses against loops, and the network that they train."""

import numpy as np
import pytest
import torch

from sklearn_mm.nets import CLIPLoss, SigLIPLoss
from sklearn_mm.nets.alignment import Embeddings, average_over_pairs


def make_vectors(n_samples=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pair = torch.randn(2, n_samples, 5, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(pair, dim=2)


def test_clip_loss_is_the_mean_of_both_searches():
    first, second = make_vectors()
    loss = CLIPLoss(temperature=0.3).double()(first, second)
    logits = (first @ second.T / 0.3).numpy()
    total = 0
    for i in range(len(logits)):
        for row in (logits[i], logits[:, i]):
            total += np.log(np.exp(row).sum()) - logits[i, i]
    assert float(loss) == pytest.approx(total / 2 / len(logits))


def test_siglip_loss_is_a_logistic_loss_of_all_pairs():
    first, second = make_vectors()
    criterion = SigLIPLoss(temperature=0.2, bias=-3).double()
    logits = (first @ second.T / 0.2 - 3).numpy()
    total = 0
    for i in range(len(logits)):
        for j in range(len(logits)):
            sign = 1 if i == j else -1
            total += np.log1p(np.exp(-sign * logits[i, j]))
    loss = criterion(first, second)
    assert float(loss.detach()) == pytest.approx(total / len(logits))


@pytest.mark.parametrize("kind", [CLIPLoss, SigLIPLoss])
def test_gradients_are_right(kind):
    vectors = make_vectors(4).requires_grad_()
    criterion = kind().double()
    assert torch.autograd.gradcheck(lambda v: criterion(v[0], v[1]), (vectors,))
    criterion(vectors[0], vectors[1]).backward()
    assert criterion.log_scale.grad.abs() > 0
    assert kind(temperature=0.5).log_scale.requires_grad is False


@pytest.mark.parametrize("kind", [CLIPLoss, SigLIPLoss])
def test_a_learned_temperature_stays_above_a_hundredth(kind):
    criterion = kind()
    criterion.log_scale.data.fill_(50.0)
    assert float(criterion.find_scale().detach()) == pytest.approx(100)
    assert float(kind(temperature=0.001).find_scale()) == pytest.approx(1000)


def test_pairs_count_where_both_are_present():
    generator = torch.Generator().manual_seed(0)
    vectors = list(torch.randn(3, 6, 4, generator=generator))
    present = torch.ones(6, 3, dtype=torch.bool)
    present[:2, 0] = False
    present[:5, 2] = False  # the third meets the others once only
    criterion = CLIPLoss(1.0)
    loss = average_over_pairs(criterion, Embeddings(vectors, present))
    torch.testing.assert_close(loss, criterion(vectors[0][2:], vectors[1][2:]))
    nothing = average_over_pairs(criterion, Embeddings(vectors, present & False))
    assert float(nothing) == 0
