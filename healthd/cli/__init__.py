"""The command line: its process begins in __main__, each verb is one file in verbs/."""
