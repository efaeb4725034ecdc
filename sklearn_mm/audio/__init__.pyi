from ._loader import AudioLoader as AudioLoader
from ._spectrogram import LogMelSpectrogram as LogMelSpectrogram
from ._statistics import AudioStatistics as AudioStatistics
