"""What several benches share: photos, servers, models, memory. None of these files is a command."""
