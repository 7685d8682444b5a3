// Labeling
