"""The benchmark: plainnet's speed compared with that of other libraries, all measured in one interleaved run."""
