"""The course: lessons to read, exercises that grade themselves, and assignments for a class.

A lesson is a page of Markdown in `lessons/`, an exercise a folder in `exercises/` with the student's file and its
checks. `marking` makes the student's file from the solution, `worker` runs an answer apart, `judging` holds its results
against those of the solution.
"""
