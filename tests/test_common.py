"""scikit-learn's own checks, on every public estimator that takes a 2-D table."""

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mm import (
    CoTrainingClassifier,
    ModelSoupClassifier,
    ModelSoupRegressor,
    MultimodalNetClassifier,
    MultimodalNetRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
    MultimodalVectorizer,
    MultimodalVotingClassifier,
    MultimodalVotingRegressor,
    MultitaskNet,
    NetClassifier,
    NetEncoder,
    NetRegressor,
)
from sklearn_mm.nets import SequenceRNN, TabularMLP
from sklearn_mm.neural._base import BaseNet


def make_fusion(kind, model, **options):
    """Two modalities of a numeric table: all columns, and its first."""
    scaled = make_pipeline(StandardScaler(), model)
    return kind([("all", model, slice(None)), ("first", scaled, [0])], **options)


FUSION = [
    make_fusion(kind, model, **options)
    for kind, model, ways in (
        (
            MultimodalVotingClassifier,
            LogisticRegression(),
            [{}, {"voting": "hard"}, {"voting": "product"}, {"weights": "learned"}],
        ),
        (MultimodalVotingRegressor, Ridge(), [{}, {"weights": "learned"}]),
        (MultimodalStackingClassifier, LogisticRegression(), [{}]),
        (MultimodalStackingRegressor, Ridge(), [{}]),
    )
    for options in ways
]
COTRAINING = [CoTrainingClassifier(FUSION[0])]
#: Encoders without cross-fitting, whose purpose is that fit_transform differs.
NETS = [
    kind(module, lr=0.02, early_stopping=False, random_state=0, **options)
    for kind, options in (
        (NetClassifier, {"max_epochs": 15}),
        (NetRegressor, {"max_epochs": 60}),
        (NetEncoder, {"max_epochs": 3, "cross_fit": False}),
    )
    for module in (TabularMLP, SequenceRNN)
]
#: Columns of a table as branches, with what makes them quick.
JOINT = [
    kind(
        [
            ("all", "passthrough", slice(None)),
            ("first", StandardScaler(), [0]),
        ],
        backbones={"all": TabularMLP, "first": TabularMLP},
        fusion=fusion,
        lr=0.02,
        early_stopping=False,
        max_epochs=epochs,
        random_state=0,
    )
    for kind, fusion, epochs in (
        (MultimodalNetClassifier, "concat", 15),
        (MultimodalNetRegressor, "gated", 60),
        (MultitaskNet, "mean", 15),
    )
]
SOUPS = [
    ModelSoupClassifier(NETS[0], settings=2, random_state=0),
    ModelSoupRegressor(NETS[2], settings=2, random_state=0),
]


def expect_failures(estimator):
    """What docstrings explain: batches of repeated samples, and float32."""
    if isinstance(estimator, CoTrainingClassifier):
        return {
            "check_non_transformer_estimators_n_iter": "no round if all is labelled",
            "check_classifiers_classes": "its labels -1 mean unlabelled",
        }
    if not isinstance(getattr(estimator, "net", estimator), BaseNet):
        return {}
    failures = {
        "check_sample_weight_equivalence_on_dense_data": "batches are others",
    }
    if isinstance(
        getattr(estimator, "net", estimator), NetRegressor | MultimodalNetRegressor
    ):
        failures["check_methods_subset_invariance"] = "float32 has seven digits"
    return failures


@parametrize_with_checks(
    [*FUSION, *COTRAINING, *NETS, *JOINT, *SOUPS, MultimodalVectorizer()],
    expected_failed_checks=expect_failures,
)
def test_estimator_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
