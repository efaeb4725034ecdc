from ._fetch_av_digits import fetch_av_digits as fetch_av_digits
from ._fetch_emodb import fetch_emodb as fetch_emodb
from ._fetch_mosi import fetch_mosi as fetch_mosi
from ._fetch_openmoji import fetch_openmoji as fetch_openmoji
from ._home import get_data_home as get_data_home
from ._load_av_digits import load_av_digits as load_av_digits
