"""Records: the results of runs, one file each, and what follows from them: the ladder, and ensembles."""
