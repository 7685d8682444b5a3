// Flywheel
