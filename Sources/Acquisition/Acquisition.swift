// Acquisition
