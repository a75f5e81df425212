"""The same network, batches and updates in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from plainnet.data.dataset import DataSet
from plainnet.export.torch_module import module_source
from plainnet.generators import generator_for
from plainnet.layers import Conv2D
from plainnet.network import Network
from plainnet.optimizers import SGD, Adam, Optimizer
from plainnet.schedules import Schedule


def their_layout(array: np.ndarray) -> np.ndarray:
    """Return weights in PyTorch's layout: dense (D, M) as (M, D), filters (K, K, C, F) as (F, C, K, K)."""
    return array.transpose({1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[array.ndim])


def twin(network: Network) -> nn.Sequential:
    """Return the same network in PyTorch, with the same weights, as `plainnet export --to torch` writes it."""
    source, tensors = module_source(network)
    made: dict[str, Any] = {}
    exec(source, made)  # noqa: S102 (plainnet wrote this program)
    module: nn.Sequential = made["network"]().to(torch.from_numpy(network.theta[:1]).dtype)
    module.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in tensors.items()})
    return module


def images_first(x: np.ndarray) -> torch.Tensor:
    """Return a batch in PyTorch's layout: vectors unchanged, images (N, H, W) as (N, 1, H, W)."""
    return torch.from_numpy(x if x.ndim == 2 else x.reshape(len(x), 1, *x.shape[1:3]))


class TorchTraining:
    """Epochs of training as a PyTorch user would write them, on the same batches as plainnet's.

    `channels_last` uses the image layout that oneDNN prefers; `fused` updates all parameters in one kernel.
    """

    def __init__(
        self, network: Network, optimizer: Optimizer, schedule: Schedule, data: DataSet, batch_size: int,
        *, channels_last: bool = False, fused: bool = False, label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        self.images = torch.from_numpy(data.images.copy())
        self.labels = torch.from_numpy(data.labels.astype(np.int64))
        self.batch_size, self.schedule = batch_size, schedule
        self.dtype = torch.from_numpy(network.theta[:1]).dtype
        self.label_smoothing = label_smoothing
        self.convolves = any(isinstance(layer, Conv2D) for layer in network.layers)
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.model = twin(network).to(memory_format=self.format)
        self.first = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.clip = optimizer.clip if isinstance(optimizer, SGD) else None
        weights = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim == 1]
        options: dict[str, Any] = {"fused": True} if fused else {}
        if isinstance(optimizer, SGD):
            groups: list[Any] = [{"params": weights, "weight_decay": optimizer.weight_decay}, {"params": others}]
            self.optimizer: torch.optim.Optimizer = torch.optim.SGD(
                groups, lr=0.01, momentum=optimizer.momentum, **options
            )
        else:
            assert isinstance(optimizer, Adam)
            self.optimizer = torch.optim.Adam(
                [*weights, *others], betas=(optimizer.beta1, optimizer.beta2), eps=optimizer.epsilon, **options
            )

    def epoch(self, rng: int = 0) -> float:
        """Train for one epoch from the initial weights, in the order of plainnet's loop with this seed.

        Returns the mean loss.
        """
        self.model.load_state_dict(self.first)
        self.optimizer.state.clear()
        order = torch.from_numpy(generator_for(rng, "shuffle").permutation(len(self.labels)))
        steps = -(-len(order) // self.batch_size)
        total, right = 0.0, 0
        for step in range(steps):
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            x, labels = self.images[rows].to(self.dtype).div_(255), self.labels[rows]
            x = x.flatten(1) if not self.convolves else x[:, None].to(memory_format=self.format)
            for group in self.optimizer.param_groups:
                group["lr"] = self.schedule(step, steps, 1)
            logits = self.model(x)
            loss = nn.functional.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
            self.optimizer.zero_grad()
            loss.backward()
            if self.clip is not None:
                nn.utils.clip_grad_value_(self.model.parameters(), self.clip)
            self.optimizer.step()
            total += loss.item() * len(rows)
            right += int((logits.argmax(1) == labels).sum())  # as plainnet's loop does for its history
        return total / len(order)
