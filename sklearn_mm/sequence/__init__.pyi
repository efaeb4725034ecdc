from ._kernels import SequenceKernels as SequenceKernels
from ._padder import SequencePadder as SequencePadder
from ._quantiles import SequenceQuantiles as SequenceQuantiles
from ._resampler import SequenceResampler as SequenceResampler
from ._statistics import SequenceStatistics as SequenceStatistics
