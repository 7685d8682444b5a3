internal import Events
internal import JSON
internal import Vocabulary

/// The counts of one project, model version and role within one transaction.
///
/// Stored in one flat array: four totals, ten bins of confidence, ten bins of score, then one count per class.
struct TallyCounter {
    private static let confidenceOffset = 4
    private static let scoreOffset = 14
    private static let classOffset = 24

    /// Empty until something is counted; after that it never becomes shorter.
    private var counts: ContiguousArray<Int64> = []
    private(set) var isEmpty = true

    private var predictions: Int64 { counts[0] }
    private var feedback: Int64 { counts[1] }
    private var negative: Int64 { counts[2] }
    private var forwarded: Int64 { counts[3] }

    /// Counts a prediction.
    ///
    /// - Parameters:
    ///   - score: In `0...1`.
    ///   - top: Index of the most probable class; nil if there is none, for example because no model has seen the
    ///     sample.
    ///   - confidence: Probability of the most probable prediction; counted only if `top` is not nil.
    @inline(__always)
    mutating func count(score: Double, top: Int?, confidence: Double) {
        reserve(Self.classOffset + (top ?? -1) + 1)
        counts[0] += 1
        counts[Self.scoreOffset + Self.tenth(score)] += 1
        guard let top else { return }
        counts[Self.confidenceOffset + Self.tenth(confidence)] += 1
        counts[Self.classOffset + top] += 1
    }

    /// Counts a prediction that is forwarded to the journal.
    mutating func countForwarded() {
        reserve(Self.classOffset)
        counts[3] += 1
    }

    /// Counts one feedback of a user.
    mutating func countFeedback(isNegative: Bool) {
        reserve(Self.classOffset)
        counts[1] += 1
        if isNegative { counts[2] += 1 }
    }

    /// Sets all counts to 0 and keeps their memory.
    mutating func clear() {
        guard !isEmpty else { return }
        isEmpty = true
        for index in counts.indices { counts[index] = 0 }
    }

    @inline(__always)
    private mutating func reserve(_ size: Int) {
        isEmpty = false
        if counts.count < size { counts.append(contentsOf: repeatElement(0, count: size - counts.count)) }
    }

    private static func tenth(_ value: Double) -> Int { min(9, max(0, Int(value * 10))) }

    /// Encodes the records for the topic `tallies`: one, or several if the names of the classes do not fit into one.
    /// The records after the first contain only counts of classes.
    ///
    /// - Parameters:
    ///   - key: Project, model version and role of the counts.
    ///   - schema: Schema with the names of the classes.
    ///   - threshold: Threshold in force at the end of the transaction, in `0...1`.
    ///   - inputs: Offsets that the transaction has read.
    /// - Returns: The records' values.
    func records(_ key: TallyKey, schema: LabelSchema, threshold: Double, inputs: [OffsetRange]) -> [[UInt8]] {
        classRanges(schema).enumerated().map { number, classes in
            let part = number == 0 ? self : classCountsOnly
            return part.bytes(key, classes: classes, schema: schema, threshold: threshold, inputs: inputs)
        }
    }

    /// Copy of the counter with the counts of classes alone; all others are 0.
    private var classCountsOnly: TallyCounter {
        var other = self
        for index in 0..<Self.classOffset { other.counts[index] = 0 }
        return other
    }

    /// Ranges of class indices, split where the names and counts of the classes would exceed a record.
    private func classRanges(_ schema: LabelSchema) -> [Range<Int>] {
        let end = counts.count - Self.classOffset
        let longest = 6 * 128 + RecordLimits.tallyClassOverhead
        guard end * longest > RecordLimits.tallyClassBytes else { return [0..<end] }
        var ranges: [Range<Int>] = []
        var (start, size) = (0, 0)
        for position in 0..<end where counts[Self.classOffset + position] > 0 {
            let entrySize =
                RecordLimits.encodedSize(of: schema.name(of: ClassIndex(position))) + RecordLimits.tallyClassOverhead
            if size + entrySize > RecordLimits.tallyClassBytes {
                ranges.append(start..<position)
                (start, size) = (position, 0)
            }
            size += entrySize
        }
        return ranges + [start..<end]
    }

    private func bytes(
        _ key: TallyKey,
        classes: Range<Int>,
        schema: LabelSchema,
        threshold: Double,
        inputs: [OffsetRange]
    ) -> [UInt8] {
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
                for position in classes where counts[Self.classOffset + position] > 0 {
                    writer.key(named: schema.name(of: ClassIndex(position)))
                    writer.value(counts[Self.classOffset + position])
                }
            }
            writer.array("confidence_histogram", of: counts[Self.confidenceOffset..<Self.scoreOffset])
            writer.array("score_histogram", of: counts[Self.scoreOffset..<Self.classOffset])
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

/// Key of a tally: project, model version and role.
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
