internal import JSON
internal import Vocabulary

/// Folds the tallies of Intake's transactions into one journal entry per project and ten seconds.
struct TallyFolder {
    static let interval: Int64 = 10_000
    static let versionLimit = 64

    private struct Key: Hashable, Comparable {
        let version: String
        let role: String
        static func < (a: Self, b: Self) -> Bool { (a.version, a.role) < (b.version, b.role) }
    }

    private var sums: [String: [Key: (predictions: Int64, feedback: Int64, negative: Int64, forwarded: Int64)]] = [:]
    /// The next offset of the partition's tallies, once they are folded.
    private(set) var next: Int64?
    private var began: Int64?

    mutating func add(_ json: JSONValue, offset: Int64, now: Int64) throws(JSONError) {
        let object = try json.object()
        let project = try object.string("project")
        var key = Key(
            version: try object.optionalString("model_version") ?? "",
            role: try object.optionalString("role") ?? ""
        )
        // Versions are external input: those beyond the limit are counted together.
        if sums[project]?[key] == nil, (sums[project]?.count ?? 0) >= Self.versionLimit {
            key = Key(version: "", role: key.role)
        }
        var sum = sums[project]?[key] ?? (0, 0, 0, 0)
        sum.predictions = sum.predictions.adding(try object.int64("predictions"))
        sum.feedback = sum.feedback.adding(try object.int64("feedback"))
        sum.negative = sum.negative.adding(try object.int64("negative_feedback"))
        sum.forwarded = sum.forwarded.adding(try object.int64("forwarded"))
        sums[project, default: [:]][key] = sum
        skip(offset: offset, now: now)
    }

    /// Skips a record that contains nothing to fold.
    mutating func skip(offset: Int64, now: Int64) {
        next = offset + 1
        if began == nil { began = now }
    }

    /// Whether `interval` has passed since the first record; a clock that went back counts as time that has passed.
    func isDue(_ now: Int64) -> Bool { began.map { now - $0 >= Self.interval || now < $0 } ?? false }

    /// Returns the sums collected, by project, and empties the folder.
    mutating func fold() -> [(project: String, tallies: [Tally])] {
        var folded: [(project: String, tallies: [Tally])] = []
        for project in sums.keys.sorted() {
            var tallies: [Tally] = []
            for key in (sums[project] ?? [:]).keys.sorted() {
                guard let sum = sums[project]?[key] else { continue }
                tallies.append(
                    Tally(
                        modelVersion: key.version.isEmpty ? nil : ModelVersion(key.version),
                        role: ModelRole(rawValue: key.role),
                        predictions: sum.predictions,
                        feedback: sum.feedback,
                        negative: sum.negative,
                        forwarded: sum.forwarded
                    )
                )
            }
            folded.append((project, tallies))
        }
        self = TallyFolder()
        return folded
    }
}
