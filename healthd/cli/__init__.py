"""The command line: its process starts in __main__, each verb is one file in verbs/."""
