"""The contract of fusion layers, on every one, from one table; and what each adds."""

import inspect

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_mm import nets
from sklearn_mm.nets import (
    BottleneckFusion,
    ConcatFusion,
    CrossAttentionFusion,
    FiLMFusion,
    GatedFusion,
    LowRankFusion,
    MeanFusion,
    TabularMLP,
    TensorFusion,
    TransformerFusion,
)
from sklearn_mm.nets._joint import JointNet, drop_modalities

SIZES = (3, 4, 2)
#: Class and options; small, for gradients by differences.
CASES = {
    "concat": (ConcatFusion, {"hidden_size": 5}),
    "concat-plain": (ConcatFusion, {"hidden_size": None}),
    "mean": (MeanFusion, {"embedding_dim": 5}),
    "gated": (GatedFusion, {"embedding_dim": 5}),
    "tensor": (TensorFusion, {"embedding_dim": 2}),
    "low_rank": (LowRankFusion, {"embedding_dim": 3, "hidden_size": 4, "rank": 2}),
    "film": (FiLMFusion, {"hidden_size": 5}),
    "film-last": (FiLMFusion, {"hidden_size": 5, "main": 2}),
    "transformer": (TransformerFusion, {"embedding_dim": 4, "n_heads": 2}),
    "attention": (CrossAttentionFusion, {"embedding_dim": 4, "n_heads": 2}),
    "bottleneck": (BottleneckFusion, {"embedding_dim": 4, "n_heads": 2}),
}


@pytest.fixture(params=CASES)
def name(request):
    return request.param


def build(name, sizes=SIZES):
    torch.manual_seed(0)
    kind, options = CASES[name]
    return kind(sizes, **options).double().eval()


def make_parts(name, n=6, seed=0, sizes=SIZES, lengths=(5, 1, 3)):
    """Make vectors of each modality, or tokens, the last of some rows being padding."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    if not getattr(CASES[name][0], "takes_tokens", False):
        return [draw(n, size) for size in sizes]
    parts = []
    for size, length in zip(sizes, lengths):
        valid = torch.ones(n, length, dtype=torch.bool)
        valid[::2, length // 2 + 1 :] = False
        parts.append((draw(n, length, size), valid))
    return parts


def inputs_of(parts):
    return [part[0] if isinstance(part, tuple) else part for part in parts]


def with_inputs(name, inputs, **options):
    """Put other vectors into a case's parts."""
    parts = make_parts(name, **options)
    if isinstance(parts[0], tuple):
        return [(x, valid) for x, (_, valid) in zip(inputs, parts)]
    return list(inputs)


def replace(part, rows, value):
    """Put a value in the place of some rows of a modality."""
    if isinstance(part, tuple):
        return (replace(part[0], rows, value), part[1])
    part = part.clone()
    part[rows] = value
    return part


SOME = torch.tensor(
    [[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=torch.bool
)
ALL = torch.ones(6, 3, dtype=torch.bool)


def test_every_fusion_layer_has_a_row_here():
    public = {
        n
        for n in nets.__all__
        if inspect.isclass(getattr(nets, n)) and n.endswith("Fusion")
    }
    assert public == {kind.__name__ for kind, _ in CASES.values()}


@pytest.mark.parametrize("present", [ALL, SOME])
def test_a_row_gives_out_features_whatever_is_next_to_it(name, present):
    fusion, parts = build(name), make_parts(name)
    fused = fusion(parts, present)
    assert fused.shape == (6, fusion.out_features)
    assert torch.isfinite(fused).all()
    for row in range(6):
        one = slice(row, row + 1)
        alone = [
            tuple(x[one] for x in p) if isinstance(p, tuple) else p[one] for p in parts
        ]
        torch.testing.assert_close(fusion(alone, present[one])[0], fused[row])


@pytest.mark.parametrize("value", [1e6, torch.nan, torch.inf])
def test_what_an_absent_modality_holds_changes_nothing(name, value):
    fusion, parts = build(name).train(), make_parts(name)
    for module in fusion.modules():
        module.p = 0.0 if isinstance(module, nn.Dropout) else None
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    for layer in (fusion, fusion.eval()):
        expected = layer(parts, SOME)
        changed = [
            replace(part, ~SOME[:, i], value) for i, part in enumerate(make_parts(name))
        ]
        assert torch.equal(layer(changed, SOME), expected)


def test_every_present_modality_has_an_influence(name):
    fusion, parts = build(name), make_parts(name)
    expected = fusion(parts, ALL)
    for i in range(3):
        changed = list(parts)
        changed[i] = replace(parts[i], slice(None), 0.7)
        assert (fusion(changed, ALL) - expected).abs().max() > 1e-6
        without = ALL.clone()
        without[:, i] = False
        assert (fusion(parts, without) - expected).abs().max() > 1e-6


def test_one_modality_can_be_fused(name):
    if name == "film-last":  # its main modality is not there
        return
    fusion = build(name, sizes=(4,))
    parts = make_parts(name, sizes=(4,), lengths=(5,))
    assert torch.isfinite(fusion(parts, ALL[:, :1])).all()


@pytest.mark.parametrize("present", [ALL[:3], SOME[1:4]])
def test_gradients_are_those_of_finite_differences(name, present):
    fusion, parts = build(name), make_parts(name, n=3)
    inputs = [x.requires_grad_() for x in inputs_of(parts)]
    names, values = zip(*fusion.named_parameters(), ("", None))

    def fuse(*tensors):
        given = dict(zip(names, tensors[len(inputs) :]))
        args = (with_inputs(name, tensors[: len(inputs)], n=3), present)
        return torch.func.functional_call(fusion, given, args)

    checked = (*inputs, *values[:-1])
    assert torch.autograd.gradcheck(fuse, checked, atol=1e-4, fast_mode=True)


def test_every_parameter_gets_a_gradient(name):
    fusion = build(name)
    inputs = [x.requires_grad_() for x in inputs_of(make_parts(name))]
    fusion(with_inputs(name, inputs), SOME).square().sum().backward()
    for key, parameter in fusion.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().sum() > 0, key
    for x, present in zip(inputs, SOME.T):
        assert (x.grad[present].flatten(1).abs().sum(dim=1) > 0).any()
        assert (x.grad[~present] == 0).all()


@pytest.mark.parametrize("name", ["attention", "bottleneck"])
def test_padding_changes_nothing(name):
    fusion, parts = build(name), make_parts(name)
    padded = [
        (nn.functional.pad(x, (0, 0, 0, 4), value=9.0), nn.functional.pad(v, (0, 4)))
        for x, v in parts
    ]
    torch.testing.assert_close(fusion(padded, SOME), fusion(parts, SOME))


def test_low_rank_fusion_is_tensor_fusion_by_the_same_factors():
    low = build("low_rank")
    tensor = TensorFusion(SIZES, embedding_dim=3).double()
    tensor.project.load_state_dict(low.project.state_dict())
    a, b, c = low.factors  # each (rank, 4, 4 outputs)
    whole = torch.einsum("rio,rjo,rko->ijko", a, b, c).flatten(0, 2)
    vectors = make_parts("low_rank")
    expected = tensor(vectors, SOME) @ whole + low.bias
    torch.testing.assert_close(low(vectors, SOME), expected)


def test_tensor_fusion_is_the_outer_product():
    fusion, vectors = build("tensor"), make_parts("tensor")
    mapped = [
        np.append(layer(v[0]).relu().detach().numpy(), 1)
        for layer, v in zip(fusion.project.maps, vectors)
    ]
    expected = np.einsum("i,j,k->ijk", *mapped).ravel()
    np.testing.assert_allclose(fusion(vectors, ALL)[0].detach().numpy(), expected)
    with pytest.raises(ValueError, match="LowRankFusion"):
        TensorFusion((3,) * 6)


def test_gated_fusion_is_the_papers():
    fusion, vectors = build("gated"), make_parts("gated")
    together = torch.cat(vectors, dim=1)
    expected = 0
    for i, v in enumerate(vectors):
        rows = slice(5 * i, 5 * i + 5)
        gate = together @ fusion.gate.weight[rows].T + fusion.gate.bias[rows]
        expected += gate.sigmoid() * fusion.project.maps[i](v).tanh()
    torch.testing.assert_close(fusion(vectors, ALL), expected)


def test_film_scales_and_shifts_the_main_modality():
    fusion, vectors = build("film-last"), make_parts("film-last")
    by = fusion.condition(torch.cat(vectors[:2], dim=1))
    expected = ((1 + by[:, :5]) * fusion.project(vectors[2]) + by[:, 5:]).relu()
    torch.testing.assert_close(fusion(vectors, ALL), expected)
    with pytest.raises(ValueError, match="main"):
        FiLMFusion(SIZES, main=3)


def test_dropping_modalities_leaves_one_and_drops_its_share():
    torch.manual_seed(0)
    present = SOME.repeat(2000, 1)
    kept = drop_modalities(present, 0.4)
    assert not (kept & ~present).any()
    assert torch.equal(kept.any(dim=1), present.any(dim=1))
    alone = present.sum(dim=1) == 1
    assert torch.equal(kept[alone], present[alone])
    three = kept[present.all(dim=1)].double()
    # Of three, all are dropped in 0.4**3 of the rows, and then one comes back.
    expected = 0.6 + 0.4**3 / 3
    assert abs(three.mean() - expected) < 0.02
    assert torch.equal(drop_modalities(present, 0.0), present)


@pytest.mark.parametrize("fusion", [ConcatFusion, BottleneckFusion])
def test_backbones_do_not_run_on_absent_samples(fusion):
    torch.manual_seed(0)
    net = JointNet(
        {"a": TabularMLP((3,)), "b": TabularMLP((2,))}, fusion, 2, by_branch=True
    )
    x, present = [torch.randn(6, 3), torch.randn(6, 2)], SOME[:, :2]
    seen = []
    net.backbones["a"].register_forward_hook(lambda _, args, __: seen.append(args[0]))
    output = net.train()(x, present)
    assert all(torch.equal(rows, x[0][present[:, 0]]) for rows in seen)
    assert torch.equal(output.present, present)
    net.eval()
    expected = net.predict(x, present)
    x[0][~present[:, 0]] = torch.nan
    assert torch.equal(net.predict(x, present), expected)
    none = torch.zeros(6, 2, dtype=torch.bool)
    assert torch.isfinite(net.predict(x, none)).all()


def test_batch_norm_is_spared_a_single_sample():
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(3)
            self.out_features = 3

        def forward(self, x):
            return self.norm(x)

    net = JointNet({"a": Normed(), "b": TabularMLP((2,))}, ConcatFusion, 2).train()
    present = torch.ones(4, 2, dtype=torch.bool)
    present[1:, 0] = False
    output = net([torch.randn(4, 3), torch.randn(4, 2)], present)
    assert not output.present[:, 0].any()
