"""Diagnosis: doctor, rehearsal, latency, level meter, analysis and its plot."""
