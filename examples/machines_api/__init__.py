"""An API for the table machines: FastAPI and SQLAlchemy on the schema that sql/ defines, monitored by healthd."""
