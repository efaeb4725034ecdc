from ._cotraining import CoTrainingClassifier as CoTrainingClassifier
from ._rules import LinearPool as LinearPool
from ._rules import LogLinearPool as LogLinearPool
from ._rules import MajorityVote as MajorityVote
from ._rules import PoolingRule as PoolingRule
from ._rules import WeightedMean as WeightedMean
from ._rules import WeightedMedian as WeightedMedian
from ._soup import ModelSoupClassifier as ModelSoupClassifier
from ._soup import ModelSoupRegressor as ModelSoupRegressor
from ._stacking import MultimodalStackingClassifier as MultimodalStackingClassifier
from ._stacking_regressor import (
    MultimodalStackingRegressor as MultimodalStackingRegressor,
)
from ._voting import MultimodalVotingClassifier as MultimodalVotingClassifier
from ._voting_regressor import MultimodalVotingRegressor as MultimodalVotingRegressor
