from ._cotraining import CoTrainingClassifier as CoTrainingClassifier
from ._soup import ModelSoupClassifier as ModelSoupClassifier
from ._soup import ModelSoupRegressor as ModelSoupRegressor
from ._stacking import MultimodalStackingClassifier as MultimodalStackingClassifier
from ._stacking_regressor import (
    MultimodalStackingRegressor as MultimodalStackingRegressor,
)
from ._voting import MultimodalVotingClassifier as MultimodalVotingClassifier
from ._voting_regressor import MultimodalVotingRegressor as MultimodalVotingRegressor
