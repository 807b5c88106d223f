"""A simulated CRM: contacts, vulnerability markers, records and their THRIVE grading, tasks, an access audit."""
