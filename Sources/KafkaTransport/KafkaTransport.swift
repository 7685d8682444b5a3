// KafkaTransport
