/// Checks whether clients can be opened at all, before any broker is contacted.
public enum ClientCheck {
    /// Opens a member of a group, a reader and a writer with these properties, without brokers, and closes them again.
    ///
    /// - Parameters:
    ///   - properties: As for any client; the brokers in them are ignored.
    ///   - group: Consumer group of the member.
    ///   - instance: Static member id of the member.
    ///   - transactionalID: Transactional id of the writer; nil for a writer without transactions.
    /// - Returns: The reason why one of them cannot be opened: another value for a property on which this module
    ///   relies, properties that contradict each other, a named file that does not exist. Nil if all can be opened.
    /// - Complexity: Milliseconds: each client starts a thread.
    public static func fault(
        _ properties: KafkaProperties,
        group: String,
        instance: String,
        transactionalID: String?
    ) -> KafkaError? {
        var clientProperties = properties
        for name in ["bootstrap.servers", "metadata.broker.list"] { clientProperties[name] = nil }
        let clients = [
            ("open a consumer", KafkaConsumer.configuration(clientProperties, group: group, instance: instance)),
            ("open a reader", KafkaReader.configuration(clientProperties)),
            ("open a producer", KafkaProducer.configuration(clientProperties, transactionalID: transactionalID)),
        ]
        for (operation, configuration) in clients {
            do throws(KafkaError) { try ClientHandle(configuration, operation: operation).close() } catch {
                return error
            }
        }
        return nil
    }
}
