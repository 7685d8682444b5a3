internal import Hashing
internal import Vocabulary

/// Lines by sample. A sample that has several lines, in any versions, is checked in each of these versions.
///
/// Memory: about 50 bytes per line. Samples are distinguished by 8 bytes of SHA-256, for which no second sample can be
/// found.
struct SampleLines {
    /// Location of a line.
    struct Location {
        let file: Int32
        /// Sequence number of the label's fact; 0 where it is not known.
        let sequence: Int64
        let split: Split
    }

    private var first: [UInt64: Location] = [:]
    /// All lines of the samples that have several.
    private var several: [UInt64: (sample: String, locations: [Location])] = [:]

    mutating func add(_ sample: String, _ location: Location) {
        let key = SHA256Digest(of: sample.utf8).bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let known = first[key] else {
            first[key] = location
            return
        }
        several[key, default: (sample, [known])].locations.append(location)
    }

    /// Describes the problem of a version that holds some of the lines: samples with labels in more than one split.
    ///
    /// - Parameter isValid: Whether a line belongs to the version and is not withdrawn.
    /// - Returns: One sentence that names five samples at most; nil if no sample is in two splits.
    /// - Complexity: O(*n*) in the lines of samples that have several.
    func problem(where isValid: (Location) -> Bool) -> String? {
        var conflicts: [(sample: String, splits: Set<Split>)] = []
        for (sample, locations) in several.values {
            let splits = Set(locations.lazy.filter(isValid).map(\.split))
            if splits.count > 1 { conflicts.append((sample, splits)) }
        }
        guard !conflicts.isEmpty else { return nil }
        let shown = conflicts.sorted { $0.sample < $1.sample }.prefix(5).map { sample, splits in
            let names = Split.allCases.filter(splits.contains).map(\.rawValue).joined(separator: " and ")
            return "\(sample.prefix(64)) (\(names))"
        }
        let more = conflicts.count > shown.count ? ", and \(conflicts.count - shown.count) more" : ""
        return "samples are in several splits: \(shown.joined(separator: ", "))\(more)"
    }
}
