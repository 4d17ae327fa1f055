"""The firm's Google Calendar: client, wire records and error classes (specification, kalender.md 1).

What belongs here: how to talk to Google. What does not: which appointment becomes which event, and who wins.
"""
