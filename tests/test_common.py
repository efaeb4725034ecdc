"""scikit-learn's own checks, on every public estimator that takes a 2-D table."""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mm import MultimodalVotingClassifier


def make_voting(voting):
    """Two modalities of a numeric table: all columns, and its first."""
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    return MultimodalVotingClassifier(
        [("all", LogisticRegression(), slice(None)), ("first", scaled, [0])],
        voting=voting,
    )


@parametrize_with_checks([make_voting("soft"), make_voting("hard")])
def test_estimator_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
