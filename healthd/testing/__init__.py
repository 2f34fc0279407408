"""For the tests of applications: a database with the migrations applied, as a fixture of pytest."""
