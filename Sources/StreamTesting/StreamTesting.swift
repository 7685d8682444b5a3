// StreamTesting
