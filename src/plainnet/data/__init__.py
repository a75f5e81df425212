"""Data: data sets in memory, their preparation and augmentation, the IDX reader, and MNIST itself."""
