"""An API on the table machines: FastAPI and SQLAlchemy on the schema that sql/ makes, watched by healthd."""
