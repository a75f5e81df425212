"""Source code of modules that PyTorch lacks, by name; an exported program includes those it needs."""

CLASSES = {
    "Deskew": '''class Deskew(nn.Module):
    """Shears images so that their bright pixels stand upright."""

    def forward(self, x):
        r, k = (torch.arange(size, dtype=x.dtype, device=x.device) for size in x.shape[2:])
        r, weight = r[:, None], x.sum(1).clamp(min=0)

        def total(part):
            return part.sum((1, 2), keepdim=True)

        m = total(weight).clamp(min=1e-30)
        away = r - total(weight * r) / m
        v, s = total(weight * away**2) / m, total(weight * away * k) / m
        place = (k + (s / v.clamp(min=1e-9)).clamp(-1, 1) * away).clamp(-1, len(k))[:, None].expand_as(x)
        left = place.floor()
        framed = nn.functional.pad(x, (1, 2))
        near, far = (framed.gather(3, left.long() + step) for step in (1, 2))
        return near + (place - left) * (far - near)
''',
    "FlattenChannelsLast": '''class FlattenChannelsLast(nn.Module):
    """Flatten images with the channels of each pixel next to each other."""

    def forward(self, x):
        return (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).flatten(1)
''',
    "LayerNormOfChannels": '''class LayerNormOfChannels(nn.LayerNorm):
    """Layer normalization over the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) if x.ndim == 4 else super().forward(x)
''',
    "NormalizeSize": '''class NormalizeSize(nn.Module):
    """Centers images, and brings them nearer to a usual height and width."""

    def __init__(self, spread, strength):
        super().__init__()
        self.spread, self.strength = spread, strength

    def matrix(self, weight):
        """Return a matrix that makes the rows of the result from those of the image, given their brightness."""
        size = weight.shape[1]
        each = torch.arange(size, dtype=weight.dtype, device=weight.device)
        m = weight.sum(1, keepdim=True).clamp(min=1e-30)
        away = each - (weight @ each)[:, None] / m
        v = ((weight * away**2).sum(1, keepdim=True) / m).clamp(min=1e-12)
        factor = ((self.spread * size / v.sqrt()) ** self.strength).clamp(0.5, 2)
        places = (each - (size - 1) / 2) / factor
        return (1 - (places[:, :, None] - away[:, None, :]).abs()).clamp(min=0)[:, None]

    def forward(self, x):
        weight = x.sum(1).clamp(min=0)
        return self.matrix(weight.sum(2)) @ x @ self.matrix(weight.sum(1)).transpose(2, 3)
''',
    "Standardize": '''class Standardize(nn.Module):
    """(x - mean) / deviation of each feature or channel; with inverse, x deviation + mean."""

    def __init__(self, features, inverse=False):
        super().__init__()
        self.inverse = inverse
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))

    def forward(self, x):
        shape = (-1, 1, 1) if x.ndim == 4 else (-1,)
        mean, deviation = self.mean.view(shape), self.deviation.view(shape)
        return x * deviation + mean if self.inverse else (x - mean) / deviation
''',
    "GaussianNoise": '''class GaussianNoise(nn.Module):
    """Adds Gaussian noise of this deviation in training."""

    def __init__(self, deviation):
        super().__init__()
        self.deviation = deviation

    def forward(self, x):
        return x + self.deviation * torch.randn_like(x) if self.training else x
''',
    "Residual": '''class Residual(nn.Sequential):
    """x + f(x)."""

    def forward(self, x):
        return x + super().forward(x)
''',
    "Ensemble": '''class Ensemble(nn.ModuleList):
    """The mean of the members' log-probabilities."""

    def forward(self, x):
        return torch.stack([member(x).log_softmax(1) for member in self]).mean(0)
''',
    "MeanOfPixels": '''class MeanOfPixels(nn.Module):
    """The mean over all pixels, channel by channel."""

    def forward(self, x):
        return x.mean((2, 3))
''',
}
