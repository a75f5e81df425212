"""98.5 % in a minute.

Build and train a network with plainnet that reads at least 98.5 % of pictures it has not seen, with
at most 60 seconds of processor time. `train` has 50,000 pictures, (28, 28) bytes each, as
`train.inputs` and `train.targets`. Return the network. Any layers, optimizer and schedule will do
(`Adam` is an optimizer that chooses the length of each step by itself; `BatchNorm` keeps the
outputs of a layer at mean 0 and standard deviation 1). Aim a little higher than 98.5 %: chance moves
the figure by 0.12 points.
"""

from plainnet import SGD, Adam, BatchNorm, Conv2D, Dense, Flatten, MaxPool, Network, ReLU, SoftmaxCrossEntropy, fit


def trained(train):
    ### BEGIN SOLUTION
    network = Network(
        Conv2D(16, 5, stride=2), ReLU(), Conv2D(32, 3), MaxPool(2), ReLU(), Flatten(), Dense(128), ReLU(), Dense(10)
    ).build((28, 28, 1), rng=0)
    fit(
        network, SoftmaxCrossEntropy(label_smoothing=0.1), Adam(beta1=0.7, beta2=0.9), train,
        batch_size=128, epochs=2, learning_rate=0.003, rng=0,
    )
    return network
    ### BEGIN STARTER
    # network = Network(Dense(10)).build((784,), rng=0)
    # fit(network, SoftmaxCrossEntropy(), SGD(), train, batch_size=128, epochs=1, learning_rate=0.1, rng=0)
    # return network
    ### END SOLUTION
