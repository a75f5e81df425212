"""The classic network as a program: 784-1024-10 on MNIST, three minutes on two cores."""

from plainnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy, epochs, mnist, step_decay

data = mnist.load()  # train, validation, test; in the package, verified by checksums, no download
network = Network(Dense(1024), ReLU(), Dense(10)).build((784,), rng=0)
for epoch in epochs(
    network,
    SoftmaxCrossEntropy(),
    SGD(momentum=0.9, weight_decay=1e-4, clip=5.0),
    data.train,
    data.validation,
    batch_size=128,
    epochs=80,
    learning_rate=step_decay(0.01, factor=0.1, at=(30, 50, 65)),
    rng=0,
):
    print(epoch)  # number, loss, accuracies, learning rate, seconds
