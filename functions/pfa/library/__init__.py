"""One file per chapter of PFA's library: functions that are written into the generated code."""
