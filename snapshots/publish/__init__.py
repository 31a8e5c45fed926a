"""Publications of a release: pages, a PDF, a spreadsheet, open data and JSON."""
