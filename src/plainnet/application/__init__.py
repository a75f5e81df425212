"""The application: a recipe's run, its evaluation, its files and its pictures. Everything but the command line."""
