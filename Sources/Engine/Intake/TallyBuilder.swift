internal import Events
internal import JSON
internal import Vocabulary

/// The counts of one project, model version and role within one transaction.
struct TallyBuilder {
    var predictions: Int64 = 0
    var feedback: Int64 = 0
    var negative: Int64 = 0
    var forwarded: Int64 = 0
    private var classes: [Int64] = []
    private var confidences = [Int64](repeating: 0, count: 10)
    private var scores = [Int64](repeating: 0, count: 10)

    mutating func count(_ output: ClassDistribution?, score: Double) {
        predictions += 1
        scores[Self.tenth(score)] += 1
        guard let output else { return }
        let top = output.top
        while classes.count <= top.label.rawValue { classes.append(0) }
        classes[top.label.rawValue] += 1
        confidences[Self.tenth(top.probability)] += 1
    }

    private static func tenth(_ value: Double) -> Int { min(9, max(0, Int(value * 10))) }

    func bytes(_ key: TallyKey, schema: LabelSchema, threshold: Double, inputs: [OffsetRange]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", key.project.rawValue)
            writer.member("model_version", ifPresent: key.version?.rawValue)
            writer.member("role", ifPresent: key.role?.rawValue)
            writer.member("predictions", predictions)
            writer.member("feedback", feedback)
            writer.member("negative_feedback", negative)
            writer.member("forwarded", forwarded)
            writer.object("class_counts") { writer in
                for (position, count) in classes.enumerated() where count > 0 {
                    writer.key(named: schema.name(of: ClassIndex(position)))
                    writer.value(count)
                }
            }
            writer.array("confidence_histogram", of: confidences)
            writer.array("score_histogram", of: scores)
            writer.member("threshold", threshold)
            writer.array("inputs") { writer in
                for range in inputs {
                    writer.object { writer in
                        writer.member("topic", range.topic)
                        writer.member("partition", Int(range.partition))
                        writer.member("from", range.from)
                        writer.member("to", range.to)
                    }
                }
            }
        }
        return writer.bytes
    }
}

/// What a tally counts for.
struct TallyKey: Hashable, Comparable {
    let project: ProjectID
    let version: ModelVersion?
    let role: ModelRole?

    static func < (a: Self, b: Self) -> Bool {
        (a.project.rawValue, a.version?.rawValue ?? "", a.role?.rawValue ?? "")
            < (b.project.rawValue, b.version?.rawValue ?? "", b.role?.rawValue ?? "")
    }
}

/// Offsets that a transaction covers: from the first to the last, both included.
struct OffsetRange {
    let topic: String
    let partition: Int32
    let from: Int64
    var to: Int64
}
