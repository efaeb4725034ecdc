"""The contract of backbones, on every one, from one table; and what each adds."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sklearn_mm import nets
from sklearn_mm.nets import (
    AudioCNN,
    AudioCRNN,
    ImageCNN,
    ImageResNet,
    SequenceRNN,
    SequenceTCN,
    TabularMLP,
    TextCNN,
    TextRNN,
    TextTransformer,
)
from sklearn_mm.nets._layers import Standardize
from sklearn_mm.nets.tabular import PiecewiseLinearEmbedding

IDS = {"n_tokens": 50}
#: Class, shape of a sample, options.
CASES = {
    "ImageCNN": (ImageCNN, (12, 15), {}),
    "ImageCNN-deep": (
        ImageCNN,
        (16, 16, 3),
        {"n_blocks": 3, "n_filters": 4, "batch_norm": True, "dropout": 0.3},
    ),
    "ImageResNet": (ImageResNet, (28, 28), {"n_filters": 8}),
    "ImageResNet-large": (ImageResNet, (64, 70, 3), {"n_filters": 8, "n_blocks": 2}),
    "AudioCNN": (AudioCNN, (21, 13), {"n_filters": 4}),
    "AudioCNN-attention": (
        AudioCNN,
        (21, 13),
        {"n_filters": 4, "n_blocks": 2, "pooling": "attention"},
    ),
    "AudioCRNN": (AudioCRNN, (21, 13), {"hidden_size": 8}),
    "AudioCRNN-deep": (
        AudioCRNN,
        (21, 13),
        {"n_blocks": 3, "time_reduction": 4, "hidden_size": 8, "n_layers": 2},
    ),
    "SequenceRNN": (SequenceRNN, (20, 3), {}),
    "SequenceRNN-univariate": (SequenceRNN, (20,), {"hidden_size": 8}),
    "SequenceRNN-gru": (SequenceRNN, (20, 3), {"cell": "gru", "pooling": "mean"}),
    "SequenceRNN-both": (
        SequenceRNN,
        (20, 3),
        {"bidirectional": True, "n_layers": 2, "dropout": 0.2},
    ),
    "SequenceRNN-both-mean": (
        SequenceRNN,
        (20, 3),
        {"bidirectional": True, "pooling": "mean_max"},
    ),
    "SequenceTCN": (SequenceTCN, (20, 3), {"n_filters": 8}),
    "SequenceTCN-last": (SequenceTCN, (20,), {"n_filters": 8, "pooling": "last"}),
    "TextCNN": (TextCNN, (20,), {**IDS, "n_filters": 6}),
    "TextRNN": (TextRNN, (20,), IDS),
    "TextRNN-last": (TextRNN, (20,), {**IDS, "pooling": "last"}),
    "TextTransformer": (TextTransformer, (20,), IDS),
    "TabularMLP": (TabularMLP, (7,), {}),
    "TabularMLP-piecewise": (TabularMLP, (7,), {"embedding": "piecewise_linear"}),
}
PADDED = [name for name in CASES if name.startswith(("Audio", "Sequence", "Text"))]


def make_samples(name, n=6, seed=0):
    _, shape, options = CASES[name]
    generator = torch.Generator().manual_seed(seed)
    if "n_tokens" in options:
        return torch.randint(1, 50, (n, *shape), generator=generator)
    return torch.randn(n, *shape, generator=generator)


def build(name):
    torch.manual_seed(0)
    backbone, shape, options = CASES[name]
    backbone = backbone(shape, **options)
    if hasattr(backbone, "adapt"):
        backbone.adapt(make_samples(name, 50, seed=1) * 3 + 1)
    return backbone.eval()


@pytest.fixture(params=CASES)
def name(request):
    return request.param


def test_every_backbone_has_a_row_here():
    public = {n for n in nets.__all__ if not n.endswith(("Fusion", "Loss"))}
    public = {n for n in public if not n.startswith("Pretrained")}  # test_pretrained
    assert public == {case[0].__name__ for case in CASES.values()}


def test_vectors_have_out_features(name):
    backbone = build(name)
    vectors = backbone(make_samples(name))
    assert vectors.shape == (6, backbone.out_features)
    assert torch.isfinite(vectors).all()


def test_a_sample_does_not_depend_on_its_batch(name):
    backbone, x = build(name), make_samples(name)
    together = backbone(x)
    for row in range(len(x)):
        torch.testing.assert_close(backbone(x[row : row + 1])[0], together[row])


@pytest.mark.parametrize("name", PADDED)
@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 19])
def test_padding_changes_nothing(name, length):
    backbone, x = build(name), make_samples(name)
    pad = 0 if "n_tokens" in CASES[name][2] else torch.nan
    padded = x.clone()
    padded[2, length:] = pad
    alone = backbone(x[2:3, :length])
    torch.testing.assert_close(backbone(padded)[2:3], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in CASES if hasattr(CASES[n][0], "tokens")])
def test_tokens_are_what_is_pooled_and_do_not_depend_on_padding(name):
    backbone, x = build(name), make_samples(name)
    tokens, valid = backbone.tokens(x)
    assert tokens.shape == (6, valid.shape[1], backbone.token_features)
    assert valid.dtype == torch.bool
    assert valid.all()
    if name not in PADDED:
        return
    padded = x.clone()
    padded[2, 11:] = 0 if "n_tokens" in CASES[name][2] else torch.nan
    few, inside = backbone.tokens(padded)
    alone = backbone.tokens(x[2:3, :11])[0][0]
    assert inside[2].sum() == len(alone)
    assert inside[[0, 1, 3, 4, 5]].all()
    torch.testing.assert_close(few[2, inside[2]], alone, rtol=1e-4, atol=1e-5)


def test_a_step_can_be_picked():
    net = SequenceRNN((5, 3), bidirectional=True, pooling=2).eval()
    x = make_samples("SequenceRNN")[:, :5]
    assert torch.equal(net(x), net.tokens(x)[0][:, 2])


def test_steps_are_hidden_in_training_only():
    net = SequenceRNN((5, 3), step_dropout=0.5)
    x = make_samples("SequenceRNN", n=400)[:, :5]
    steps, _ = net._prepare(x)
    hidden = (steps == 0).all(dim=2)
    assert 0.45 < hidden.double().mean() < 0.55
    torch.testing.assert_close(steps[~hidden], net.standardize(x)[~hidden])
    assert torch.equal(net.eval()._prepare(x)[0], net.standardize(x))


def test_missing_samples_give_numbers(name):
    x = make_samples(name)
    x[3] = 0 if "n_tokens" in CASES[name][2] else torch.nan
    vectors = build(name)(x)
    assert torch.isfinite(vectors).all()


def test_every_parameter_gets_a_gradient(name):
    backbone = build(name).train()
    backbone(make_samples(name, 8)).square().sum().backward()
    for key, parameter in backbone.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key


def test_state_dicts_carry_everything(name):
    backbone, x = build(name), make_samples(name)
    kind, shape, options = CASES[name]
    other = kind(shape, **options).eval()
    other.load_state_dict(backbone.state_dict())
    torch.testing.assert_close(other(x), backbone(x))


def test_the_default_image_cnn_is_the_textbooks():
    net, x = ImageCNN((28, 28)), torch.randn(5, 28, 28)
    convolution = net.blocks[0]
    assert convolution.weight.shape == (32, 1, 3, 3)
    pixels = torch.nn.functional.pad(x.unsqueeze(1), (1, 1, 1, 1))
    maps = torch.conv2d(pixels, convolution.weight, convolution.bias)
    expected = torch.max_pool2d(torch.relu(maps), 2).flatten(1)
    torch.testing.assert_close(net(x), expected)
    assert net.out_features == 14 * 14 * 32


def test_the_default_rnn_is_an_lstm_of_64_units():
    x = torch.randn(4, 9, 5)
    net = SequenceRNN((9, 5)).eval()
    ((layer,),) = net.recurrent.layers
    assert isinstance(layer, torch.nn.LSTM)
    assert layer.hidden_size == 64
    _, (last, _) = layer(x)
    torch.testing.assert_close(net(x), last[0])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_both_directions_are_those_of_packed_sequences(cell):
    lengths = torch.tensor([7, 3, 1, 5])
    x = torch.randn(4, 7, 5)
    for row, length in zip(x, lengths):
        row[length:] = torch.nan
    net = SequenceRNN((7, 5), 6, cell, n_layers=2, bidirectional=True).eval()
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    reference = kind(5, 6, 2, batch_first=True, bidirectional=True)
    for number, pair in enumerate(net.recurrent.layers):
        for direction, suffix in zip(pair, ("", "_reverse")):
            for name, weight in direction.named_parameters():
                theirs = name.replace("_l0", f"_l{number}{suffix}")
                getattr(reference, theirs).data.copy_(weight.data)
    packed = pack_padded_sequence(
        x.nan_to_num(), lengths, batch_first=True, enforce_sorted=False
    )
    states, last = reference(packed)
    states = pad_packed_sequence(states, batch_first=True)[0]
    tokens, valid = net.tokens(x)
    torch.testing.assert_close(tokens[valid], states[valid])
    last = last[0] if cell == "lstm" else last
    torch.testing.assert_close(net(x), torch.cat([last[-2], last[-1]], dim=1))


def test_causal_convolutions_see_no_later_step():
    net = SequenceTCN((20, 3), pooling="last").eval()
    x = torch.randn(2, 20, 3)
    steps = net.blocks(x.transpose(1, 2))
    x[:, 12:] += 5
    torch.testing.assert_close(net.blocks(x.transpose(1, 2))[..., :12], steps[..., :12])


def test_standardising_equals_numpy_without_nan():
    x = np.random.default_rng(0).normal(3, 5, (40, 6, 2)).astype(np.float32)
    x[::3, 4:] = np.nan
    x[..., 1] = 7  # constant
    layer = Standardize((2,))
    layer.adapt(torch.from_numpy(x))
    flat = x.reshape(-1, 2)
    np.testing.assert_allclose(layer.mean, np.nanmean(flat, axis=0), rtol=1e-5)
    np.testing.assert_allclose(layer.std[0], np.nanstd(flat[:, 0]), rtol=1e-5)
    out = layer(torch.from_numpy(x))
    assert torch.isfinite(out).all()
    assert (out[..., 1] == 0).all()


def embed_slowly(value, edges):
    """The definition of Gorishniy et al. (2022), equation 1, number by number."""
    parts = []
    for t in range(len(edges) - 1):
        share = (value - edges[t]) / (edges[t + 1] - edges[t])
        if value < edges[t] and t > 0:
            share = 0
        if value >= edges[t + 1] and t < len(edges) - 2:
            share = 1
        parts.append(share)
    return parts


def test_piecewise_linear_embeddings_follow_their_definition():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)).astype(np.float32)
    layer = PiecewiseLinearEmbedding(3, 5)
    layer.adapt(torch.from_numpy(x))
    levels = np.linspace(0, 1, 6)
    edges = np.quantile(x.astype(float), levels, axis=0).T
    np.testing.assert_allclose(layer.edges, edges, rtol=1e-5)
    probe = np.array([[-9, 0.1, 9], [0, 1, -1]], dtype=np.float32)
    expected = [
        np.concatenate([embed_slowly(v, e) for v, e in zip(row, edges)])
        for row in probe
    ]
    np.testing.assert_allclose(layer(torch.from_numpy(probe)), expected, rtol=1e-4)


def test_numbers_with_few_values_are_embedded():
    x = torch.tensor([[0.0], [0.0], [0.0], [1.0]])
    layer = PiecewiseLinearEmbedding(1, 4)
    layer.adapt(x)
    embedded = layer(x)
    assert torch.isfinite(embedded).all()
    assert not torch.equal(embedded[0], embedded[3])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ImageCNN((28,)), r"images \(H, W\)"),
        (lambda: ImageCNN((4, 4), n_blocks=3), "halve images of 4x4"),
        (lambda: ImageResNet((28, 28), n_filters=12), "multiple of 8"),
        (lambda: AudioCNN((100,)), "LogMelSpectrogram"),
        (lambda: SequenceRNN(()), "takes sequences"),
        (lambda: SequenceRNN((9,), cell="rnn"), "'lstm' or 'gru'"),
        (lambda: SequenceTCN((9,), pooling="sum"), "pooling must be"),
        (lambda: TextCNN((9, 2), 10), "TextTokenizer"),
        (lambda: TabularMLP((9, 2)), "takes vectors"),
        (lambda: TabularMLP((9,), embedding="none"), "piecewise_linear"),
        (
            lambda: TextTransformer((3,), 10)(torch.ones(1, 4, dtype=torch.int64)),
            "was built for 3 tokens",
        ),
    ],
)
def test_wrong_shapes_and_options_are_refused_with_a_reason(build, message):
    with pytest.raises(ValueError, match=message):
        build()
