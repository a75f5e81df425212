"""The course: lessons to read, exercises that grade themselves, and assignments for a class.

A lesson is a Markdown page in `lessons/`. An exercise is a folder in `exercises/` with the student's file and its
checks. `marking` makes the student's file from the solution, `worker` runs an answer in a separate process, and
`judging` compares its results with those of the solution.
"""
