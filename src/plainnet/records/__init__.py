"""Records: the results of runs, one file per run, and what is computed from them: the ladder, and ensembles."""
