"""Run:ai Model Streamer: SafetensorsStreamer over a .safetensors file; tensors are owned by the caller (its default).
Variants: plain (reads by O_DIRECT, its default), buffered."""

import logging
import os

import contender
from runai_model_streamer import SafetensorsStreamer
from safetensors.torch import save_file

logging.getLogger("runai_model_streamer").setLevel(logging.ERROR)


class Runai:
    def __init__(self, variant):
        if variant == "buffered":
            os.environ["RUNAI_STREAMER_FS_STRATEGY"] = "io_uring_buffered,sync_buffered"

    def load(self, path, device):
        with SafetensorsStreamer() as streamer:
            streamer.stream_file(path, device=device)
            return dict(streamer.get_tensors())

    def save(self, tensors, path):
        save_file(tensors, path)


contender.run(Runai)
