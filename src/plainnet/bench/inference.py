"""Prediction speed compared with other libraries: one image, and ten thousand, through the classic network."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from plainnet.bench.interleave import Comparison, Rival, interleave
from plainnet.data import mnist
from plainnet.data.preparation import scaled
from plainnet.model import Model
from plainnet.network import Network
from plainnet.recipes import read


def one_image(rounds: int) -> Comparison:
    """Predict one image at a time, a thousand times in each round."""
    images = scaled(mnist.load().test.images[:1000]).reshape(-1, 1, 784)
    return _compared("one image", list(images), rounds, "1,000 images, one at a time")


def ten_thousand_images(rounds: int) -> Comparison:
    """Predict all test images in one call."""
    images = scaled(mnist.load().test.images).reshape(-1, 784)
    return _compared("10,000 images", [images], rounds, "10,000 images in one call")


def _compared(title: str, batches: list[np.ndarray], rounds: int, work: str) -> Comparison:
    network = read("classic").network(rng=0)
    predictors: dict[str, Any] = {"plainnet": network.logits}
    if find_spec("onnxruntime") and find_spec("onnx"):
        predictors["ONNX Runtime"] = _onnx(network)
    if find_spec("torch"):
        predictors["PyTorch"] = _torch(network)
    expected = predictors["plainnet"](batches[0])
    for name, predictor in predictors.items():
        if not np.allclose(predictor(batches[0]), expected, rtol=1e-3, atol=1e-4):
            raise AssertionError(f"{name} makes different predictions")

    def rival(predictor: Any) -> Rival:
        return lambda: [predictor(batch) for batch in batches]

    return interleave(
        title, {name: rival(predictor) for name, predictor in predictors.items()}, rounds=rounds, work=work
    )


def _onnx(network: Network) -> Any:
    import onnxruntime

    from plainnet.export.onnx_file import as_onnx

    model = as_onnx(Model(network, (), preparation={"type": "pixels", "inputs": "numbers"}), rows=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, {"input": batch})[0]


def _torch(network: Network) -> Any:
    import torch

    from plainnet.bench.torch_peer import twin

    model = twin(network).eval()

    def predict(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            logits: np.ndarray = model(torch.from_numpy(batch)).numpy()
            return logits

    return predict
