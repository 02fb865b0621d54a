"""The report: from the CSV of finished runs to tables, pictures and one page."""
