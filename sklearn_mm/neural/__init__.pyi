from ._aligner import ContrastiveAligner as ContrastiveAligner
from ._classifier import NetClassifier as NetClassifier
from ._encoder import NetEncoder as NetEncoder
from ._multimodal_classifier import MultimodalNetClassifier as MultimodalNetClassifier
from ._multimodal_regressor import MultimodalNetRegressor as MultimodalNetRegressor
from ._multitask import MultitaskNet as MultitaskNet
from ._regressor import NetRegressor as NetRegressor
from ._task_loss import TaskLoss as TaskLoss
