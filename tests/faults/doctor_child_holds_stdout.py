import subprocess


class ReLU:
    def forward(self, x):
        self.m = x > 0
        return x * self.m

    def backward(self, dy):
        return dy * self.m


subprocess.Popen(["sleep", "30"])
