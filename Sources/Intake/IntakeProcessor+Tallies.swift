internal import EngineCore
internal import Events
internal import Flywheel
internal import StreamRuntime
internal import Vocabulary

/// Writing of the counts of a transaction.
extension IntakeProcessor {
    func write(
        _ stream: ModelTraffic,
        _ configuration: ProjectConfiguration,
        _ inputs: [OffsetRange],
        into transaction: inout PendingTransaction
    ) {
        for (role, tally) in stream.counted(in: transactionNumber) {
            let key = TallyKey(project: configuration.project, version: stream.version, role: role)
            let records = tally.records(
                key,
                schema: configuration.schema,
                threshold: stream.threshold.value,
                inputs: inputs
            )
            let id = "\(recordID)/\(key.version?.rawValue ?? "")/\(key.role?.rawValue ?? "")"
            for (number, bytes) in records.enumerated() {
                transaction.write(
                    OutputRecord(
                        topic: topics[.tallies],
                        partition: configuration.partition,
                        key: Array(key.project.rawValue.utf8),
                        value: bytes,
                        headers: CloudEventHeaders(
                            id: number == 0 ? id : "\(id)/\(number)",
                            source: "flywheel/\(key.project)/intake",
                            type: "io.flywheel.traffic.tallied.v1",
                            time: now(),
                            correlation: key.version?.rawValue,
                            causation: nil
                        ).recordHeaders
                    )
                )
            }
        }
    }
}
