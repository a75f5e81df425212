"""ReLU with the derivative from a tutorial and a popular book: >= on the output, which is never negative."""


class ReLU:
    def forward(self, x):
        self.output = (x >= 0) * x
        return self.output

    def backward(self, gradient):
        return gradient * (self.output >= 0)
