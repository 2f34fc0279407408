"""`make soak`: a daemon bears random faults for a long time, and is compared with the truth all the while."""
