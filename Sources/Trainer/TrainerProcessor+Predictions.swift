internal import EngineCore
internal import Events
internal import StreamRuntime
internal import Vocabulary

/// Predictions of models, for services that cannot run a challenger.
extension TrainerProcessor {
    /// Answers requests for predictions.
    func answerPredictions(into transaction: inout PendingTransaction) throws {
        guard !desk.pending.isEmpty else { return }
        let topicPartitions = Set(desk.pending.map(\.topicPartition))
        var records: [OutputRecord] = []
        try desk.answer(results, buckets, now: now, failed: failed) { prediction, value in
            records.append(
                OutputRecord(
                    topic: topics[.trainingResults],
                    key: Array(prediction.project.rawValue.utf8),
                    value: value,
                    headers: CloudEventHeaders(
                        id: "\(prediction.request.id)-predicted",
                        source: "flywheel/\(prediction.project)/trainer",
                        type: "io.flywheel.prediction.finished.v1",
                        time: now(),
                        correlation: prediction.request.challenger.version.rawValue,
                        causation: prediction.request.id.rawValue
                    ).recordHeaders
                )
            )
        }
        for record in records { transaction.write(record) }
        predictions += Int64(records.count)
        for topicPartition in topicPartitions { transaction.advance(topicPartition, to: position(of: topicPartition)) }
    }
}
