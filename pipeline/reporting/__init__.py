"""The parts of reports/dashboard.html: what is read, what is drawn, what is said."""
