from ._cotraining import CoTrainingClassifier as CoTrainingClassifier
from ._number_rules import WeightedMean as WeightedMean
from ._number_rules import WeightedMedian as WeightedMedian
from ._probability_rules import LinearPool as LinearPool
from ._probability_rules import LogLinearPool as LogLinearPool
from ._probability_rules import MajorityVote as MajorityVote
from ._rules import PoolingRule as PoolingRule
from ._soup import ModelSoupClassifier as ModelSoupClassifier
from ._soup import ModelSoupRegressor as ModelSoupRegressor
from ._stacking import MultimodalStackingClassifier as MultimodalStackingClassifier
from ._stacking_regressor import (
    MultimodalStackingRegressor as MultimodalStackingRegressor,
)
from ._voting import MultimodalVotingClassifier as MultimodalVotingClassifier
from ._voting_regressor import MultimodalVotingRegressor as MultimodalVotingRegressor
