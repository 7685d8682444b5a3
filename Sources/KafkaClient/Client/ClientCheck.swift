/// Checks whether clients can be opened at all, before any broker is contacted.
public enum ClientCheck {
    /// Opens a member of a group, a reader and a writer with these properties, without brokers, and closes them again.
    ///
    /// - Parameters:
    ///   - properties: As for any client; the brokers in them are left aside.
    ///   - group: Of the member.
    ///   - instance: Its static member id.
    ///   - transactionalID: Of the writer; nil for one without transactions.
    /// - Returns: Why one of them cannot be opened: a property that this module relies on and that is given otherwise,
    ///   properties that contradict each other, a file that is named and not there. Nil if all can.
    /// - Complexity: Milliseconds: each client starts a thread.
    public static func fault(
        _ properties: KafkaProperties,
        group: String,
        instance: String,
        transactionalID: String?
    ) -> KafkaError? {
        var own = properties
        for name in ["bootstrap.servers", "metadata.broker.list"] { own[name] = nil }
        let clients = [
            ("open a consumer", KafkaConsumer.configuration(own, group: group, instance: instance)),
            ("open a reader", KafkaReader.configuration(own)),
            ("open a producer", KafkaProducer.configuration(own, transactionalID: transactionalID)),
        ]
        for (operation, configuration) in clients {
            do throws(KafkaError) { try ClientHandle(configuration, operation: operation).close() } catch {
                return error
            }
        }
        return nil
    }
}
