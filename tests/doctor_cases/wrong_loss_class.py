import numpy as np


class SquaredError:
    def loss(self, predicted, actual):
        return np.sum((predicted - actual) ** 2)

    def grad(self, predicted, actual):
        return predicted - actual


class LogisticLoss:
    def loss(self, predicted, actual):
        return np.sum(np.log(1 + np.exp(-predicted)) + (1 - actual) * predicted)

    def grad(self, predicted, actual):
        return 1 / (1 + np.exp(-predicted)) - actual
