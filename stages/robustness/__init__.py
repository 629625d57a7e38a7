"""Stage robustness: worse photos, nearest strangers, groups of people."""
