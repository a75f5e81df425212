"""A second opinion: the same networks, gradients and updates in PyTorch. Skipped where it is not installed."""

import warnings

import numpy as np
import pytest

from loss_harness import TARGETS
from plainnet import (
    SGD,
    Adam,
    BatchNorm,
    BinaryCrossEntropy,
    Conv2D,
    Dense,
    Flatten,
    Huber,
    MaxPool,
    MeanSquaredError,
    Network,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
)
from plainnet.context import Context
from plainnet.layers import GELU, LayerNorm, LeakyReLU, SiLU
from plainnet.schedules import one_cycle
from test_layers import CASES

torch = pytest.importorskip("torch")
torch_peer = pytest.importorskip("plainnet.bench.torch_peer")
twin, their_layout, images_first = torch_peer.twin, torch_peer.their_layout, torch_peer.images_first


@pytest.fixture(autouse=True)
def torch_rounds_as_it_likes():
    with np.errstate(all="ignore"):
        yield


class AsFunction(torch.autograd.Function):
    """One of our layers as PyTorch sees it: numbers in, numbers out, and our backward."""

    @staticmethod
    def forward(ctx, network, x, *values):
        for parameter, value in zip(network.parameters, values, strict=True):
            parameter.value[...] = value.detach().numpy()
        ctx.network, ctx.x = network, x.detach().numpy().copy()
        with Context():
            return torch.from_numpy(network.forward(ctx.x, training=True).copy())

    @staticmethod
    def backward(ctx, dy):
        with Context():
            ctx.network.forward(ctx.x, training=True)  # PyTorch asks several times, ours answers once each
            dx = ctx.network.backward(dy.numpy(), need_dx=True)
        grads = [torch.from_numpy(parameter.grad.copy()) for parameter in ctx.network.parameters]
        return None, torch.from_numpy(dx.copy()), *grads


@pytest.mark.parametrize("case", CASES)
def test_gradcheck_in_slow_mode_judges_our_layers(case):
    make, in_shape = CASES[case]
    network = Network(make()).build(in_shape, dtype=np.float64)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((4, *in_shape))).requires_grad_()
    values = [torch.from_numpy(p.value.copy()).requires_grad_() for p in network.parameters]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert torch.autograd.gradcheck(AsFunction.apply, (network, x, *values), fast_mode=False)


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (SoftmaxCrossEntropy(), torch.nn.CrossEntropyLoss(), "classes"),
        (SoftmaxCrossEntropy(label_smoothing=0.1), torch.nn.CrossEntropyLoss(label_smoothing=0.1), "probabilities"),
        (
            SoftmaxCrossEntropy(class_weights=[1, 2, 0.5, 3]),
            torch.nn.CrossEntropyLoss(weight=torch.tensor([1, 2, 0.5, 3], dtype=torch.float64)),
            "classes",
        ),
        (BinaryCrossEntropy(), torch.nn.BCEWithLogitsLoss(), "labels"),
        (MeanSquaredError(), torch.nn.MSELoss(), "numbers"),
        (Huber(0.7), torch.nn.HuberLoss(delta=0.7), "numbers"),
    ],
)
def test_losses(ours, theirs, kind):
    outputs = np.random.default_rng(3).standard_normal(TARGETS["numbers"].shape)
    value, gradient = ours(outputs, TARGETS[kind])
    z = torch.from_numpy(outputs).requires_grad_()
    targets = torch.from_numpy(TARGETS[kind])
    loss = theirs(z, targets if kind == "classes" else targets.double())
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (LeakyReLU(0.2), torch.nn.LeakyReLU(0.2)),
        (SiLU(), torch.nn.SiLU()),
        (GELU(), torch.nn.GELU(approximate="tanh")),
        (LayerNorm(), torch.nn.LayerNorm(6, dtype=torch.float64)),
    ],
)
def test_newer_layers(ours, theirs):
    x = 3 * np.random.default_rng(3).standard_normal((5, 6))
    network = Network(ours).build((6,), dtype=np.float64)
    np.testing.assert_allclose(network.forward(x), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        lambda: (Flatten(), Dense(1024), ReLU(), Dense(10)),
        lambda: (Flatten(), Dense(40), Sigmoid(), Dense(30), Tanh(), Dense(10)),
        lambda: (Conv2D(4, 5), MaxPool(), ReLU(), Conv2D(6, 3, stride=2), ReLU(), Flatten(), Dense(10)),
        lambda: (Conv2D(3, 3, padding="same"), ReLU(), BatchNorm(), Conv2D(4, 3), MaxPool(4), Flatten(), Dense(10)),
    ],
)
def test_gradients(layers, digits):
    network = Network(*layers()).build((28, 28), dtype=np.float64)
    model, data = twin(network), digits.train[:64]
    x = network.as_input(data.images).copy()
    value, dlogits = SoftmaxCrossEntropy()(network.forward(x, training=True), data.labels)
    network.backward(dlogits)
    loss = torch.nn.functional.cross_entropy(model(images_first(x)), torch.from_numpy(data.labels.astype(int)))
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-12)
    for parameter, expected in zip(network.parameters, model.parameters(), strict=True):
        theirs = expected.grad.numpy()
        np.testing.assert_allclose(their_layout(parameter.grad), theirs, rtol=1e-10, atol=1e-12 * abs(theirs).max())


def test_a_hundred_steps_of_adam_with_batch_norm(digits):
    """A convolutional network, one cycle of the learning rate; running averages and predictions included."""
    layers = Conv2D(4, 5, stride=2), ReLU(), BatchNorm(), Flatten(), Dense(10)
    network = Network(*layers).build((28, 28), dtype=np.float64)
    model, loss = twin(network), SoftmaxCrossEntropy()
    adam, schedule = Adam(beta1=0.7, beta2=0.9), one_cycle(0.01)
    adam.attach(network.parameters)
    theirs = torch.optim.Adam(model.parameters(), betas=(0.7, 0.9))
    for step in range(100):
        data = digits.train[step * 64 : (step + 1) * 64]
        x = network.as_input(data.images).copy()
        value, dlogits = loss(network.forward(x, training=True), data.labels)
        network.backward(dlogits)
        theirs.param_groups[0]["lr"] = schedule(step, 100, 1)
        adam.step(schedule(step, 100, 1))
        theirs.zero_grad()
        target = torch.from_numpy(data.labels.astype(int))
        their_loss = torch.nn.functional.cross_entropy(model(images_first(x)), target)
        their_loss.backward()
        theirs.step()
        assert value == pytest.approx(their_loss.item(), rel=1e-6)
    model.eval()
    x = network.as_input(digits.validation.images[:50]).copy()
    expected = model(images_first(x)).detach().numpy()
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("rate", "clip"), [(0.01, 5.0), (0.05, 0.003)])
def test_a_hundred_steps_of_the_classic_recipe(rate, clip, digits):
    network = Network(Flatten(), Dense(128), ReLU(), Dense(10)).build((28, 28), dtype=np.float64)
    model, loss, sgd = twin(network), SoftmaxCrossEntropy(), SGD(momentum=0.9, weight_decay=1e-4, clip=clip)
    weights = [p for p in model.parameters() if p.ndim == 2]
    biases = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": 1e-4}, {"params": biases, "weight_decay": 0.0}]
    sgd.attach(network.parameters)
    theirs = torch.optim.SGD(groups, lr=rate, momentum=0.9)
    for step in range(100):
        data = digits.train[step * 128 : (step + 1) * 128]
        x = network.as_input(data.images).copy()
        value, dlogits = loss(network.forward(x, training=True), data.labels)
        network.backward(dlogits)
        sgd.step(rate)
        theirs.zero_grad()
        target = torch.from_numpy(data.labels.astype(int))
        their_loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(x)), target)
        their_loss.backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), clip)
        theirs.step()
        assert value == pytest.approx(their_loss.item(), rel=1e-9)
    for parameter, expected in zip(network.parameters, model.parameters(), strict=True):
        np.testing.assert_allclose(their_layout(parameter.value), expected.detach().numpy(), rtol=1e-6, atol=1e-9)
