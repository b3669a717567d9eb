"""What the scripts in this folder share: where they run, the cases, the other runtimes, fretsaw."""
