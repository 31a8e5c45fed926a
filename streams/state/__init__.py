"""The live state in Redis: tables, records, open alerts, and who is elected to a job."""
