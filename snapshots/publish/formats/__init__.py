"""The formats of a publication: pages, a PDF, a spreadsheet, open data and JSON."""
