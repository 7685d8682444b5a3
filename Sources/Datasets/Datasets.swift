public import Tables
public import Vocabulary

/// When a dataset version is cut.
public struct DatasetPolicy: Hashable, Sendable {
    /// New training labels that make a version; at least 1. Half as many do while no task is open: no more are coming.
    public var cutEvery: Int
    /// The longest that any new label waits for a version, in milliseconds.
    public var cutAfter: Int64

    public init(cutEvery: Int = 10, cutAfter: Int64 = 3_600_000) {
        self.cutEvery = cutEvery
        self.cutAfter = cutAfter
    }
}

/// What is known of a label once it is in the log.
public struct LabelRow: Hashable, Sendable {
    public let label: ClassIndex
    public let split: Split
    public let sequence: Int64
    /// The key of an imported label, by which a second one is known; nil of one that was asked for.
    public let importKey: UInt64?

    public init(label: ClassIndex, split: Split, sequence: Int64, importKey: UInt64? = nil) {
        self.importKey = importKey
        self.label = label
        self.split = split
        self.sequence = sequence
    }
}

/// Where the dataset log of a project stands.
public struct LogPosition: Hashable, Sendable {
    /// The last fact or cut.
    public var sequence: Int64
    /// The last cut.
    public var ordinal: Int
    /// Training labels accepted so far.
    public var training: Int
    /// Validation labels accepted so far.
    public var validation: Int
    /// Test labels accepted so far.
    public var test: Int
    /// Since the last cut.
    public var newTraining: Int
    /// Of any split, since the last cut.
    public var newLabels: Int
    /// When the first label since the last cut was accepted.
    public var waitingSince: StreamTime?
    /// The latest prediction of any training sample.
    public var newestSampleAt: StreamTime
    /// When the last label since the last cut was imported; nil where none was.
    public var importedAt: StreamTime?

    public init(
        sequence: Int64 = 0,
        ordinal: Int = 0,
        training: Int = 0,
        validation: Int = 0,
        test: Int = 0,
        newTraining: Int = 0,
        newLabels: Int = 0,
        waitingSince: StreamTime? = nil,
        newestSampleAt: StreamTime = StreamTime(milliseconds: 0),
        importedAt: StreamTime? = nil
    ) {
        self.importedAt = importedAt
        self.sequence = sequence
        self.ordinal = ordinal
        self.training = training
        self.validation = validation
        self.test = test
        self.newTraining = newTraining
        self.newLabels = newLabels
        self.waitingSince = waitingSince
        self.newestSampleAt = newestSampleAt
    }
}

/// A cut that the Materializer has not sealed yet.
public struct PendingCut: Hashable, Sendable {
    public let cutAt: StreamTime
    public let newestSampleAt: StreamTime

    public init(cutAt: StreamTime, newestSampleAt: StreamTime) {
        self.cutAt = cutAt
        self.newestSampleAt = newestSampleAt
    }
}

/// Which labels there are, and the versions cut from them.
public struct DatasetsState: Sendable {
    /// One row for each sample that has a label; never removed.
    public var labels = Table<SampleID, LabelRow>()
    public var position = Cell(LogPosition())
    /// Cuts not yet sealed, by ordinal.
    public var pending = Table<Int, PendingCut>()
    /// The test labels in the order of the log, a cache.
    private var testOrder = TestOrder()
    /// The keys of imported labels, a cache.
    private var importKeys = ImportKeys()

    public init() {}

    /// Accepts a label into the log. Test labels come from the audit sample only, and every label of it is a test label,
    /// so no sample is ever in both.
    ///
    /// - Parameters:
    ///   - consensus: The label.
    ///   - schema: Of the project.
    ///   - key: Of an imported label.
    ///   - time: Of the entry.
    /// - Returns: The fact for the log; refused of a class that is not there, or a sample that has a label.
    public mutating func accept(
        _ consensus: ConsensusLabel,
        schema: LabelSchema,
        imported key: UInt64? = nil,
        at time: StreamTime
    ) -> Result<LabelFact, RefusalError> {
        let id = consensus.sample.id
        guard schema.contains(consensus.label) else {
            return .failure(.init(.unknownClass, "class \(consensus.label.rawValue) is not in the label schema"))
        }
        guard labels[id] == nil else {
            return .failure(.init(.duplicate, "sample \(id) has a label already"))
        }
        let split = consensus.purpose.split
        var log = position.value
        log.sequence += 1
        log.newLabels += 1
        switch split {
        case .training:
            log.training += 1
            log.newTraining += 1
            log.newestSampleAt = max(log.newestSampleAt, consensus.predictedAt)
        case .validation: log.validation += 1
        case .test: log.test += 1
        }
        if log.waitingSince == nil { log.waitingSince = time }
        if key != nil {
            log.importedAt = time
            // Validation labels that came before could make no version: they have waited for nothing.
            if split == .training, log.training == 1 { log.waitingSince = time }
        }
        position.value = log
        let row = LabelRow(label: consensus.label, split: split, sequence: log.sequence, importKey: key)
        let areKeysCurrent = importKeys.isCurrent(labels)
        testOrder.set(id, row, in: &labels)
        if areKeysCurrent { importKeys.follow(row, in: labels) }
        return .success(LabelFact(consensus: consensus, split: split, sequence: log.sequence))
    }

    /// Whether a label was imported under that key.
    ///
    /// - Complexity: O(1); the first time, or after an abort, O(*n*) in the number of labels.
    public mutating func hasImported(_ key: UInt64) -> Bool { importKeys.contains(key, of: labels) }

    /// Milliseconds after the last imported label before a version is cut: what is imported together is one version.
    static let importSettling: Int64 = 5_000
    /// Milliseconds after the first label that waits before a version is cut although an import goes on: whoever imports
    /// something now and then for ever holds up no others.
    static let importPatience: Int64 = 300_000

    /// Cuts a version when enough labels are new, when one has waited long enough, or when an import has ended.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - schema: Whose classes the version names.
    ///   - embedding: The space that is worked in; nil while nothing is known of it.
    ///   - isMoreComing: Whether a task for a training label is open. If not, half of `cutEvery` is enough, so that a batch of
    ///     which one task was never answered does not wait for the next.
    ///   - time: Of the entry.
    /// - Returns: The cut, nil when none is due.
    public mutating func cutIfDue(
        policy: DatasetPolicy,
        schema: LabelSchema,
        embedding: EmbeddingSpace? = nil,
        isMoreComing: Bool,
        at time: StreamTime
    ) -> VersionCut? {
        var log = position.value
        let enough = isMoreComing ? policy.cutEvery : (policy.cutEvery + 1) / 2
        guard let since = log.waitingSince, log.newLabels > 0, log.training > 0 else { return nil }
        let isDue =
            log.importedAt.map {
                time.milliseconds(since: $0) >= Self.importSettling
                    || time.milliseconds(since: since) >= Self.importPatience
            } ?? (log.newTraining >= enough)
        guard isDue || time.milliseconds(since: since) >= policy.cutAfter
        else { return nil }
        log.sequence += 1
        log.ordinal += 1
        log.newTraining = 0
        log.newLabels = 0
        log.waitingSince = nil
        log.importedAt = nil
        position.value = log
        pending[log.ordinal] = PendingCut(cutAt: time, newestSampleAt: log.newestSampleAt)
        return VersionCut(
            ordinal: log.ordinal,
            sequence: log.sequence,
            training: log.training,
            validation: log.validation,
            test: log.test,
            classes: schema.classes,
            embedding: embedding
        )
    }

    /// The cut that a sealed version answers; nil when it was sealed before or never cut.
    public mutating func seal(_ version: SealedVersion) -> PendingCut? {
        guard let cut = pending[version.ordinal] else { return nil }
        pending[version.ordinal] = nil
        return cut
    }

    /// The first so many test labels in the order of the log, which is the order of a manifest.
    ///
    /// - Complexity: O(*count*); the first time, or after an abort, O(*n* log *n*) in the number of labels.
    public mutating func testSamples(first count: Int) -> [SampleID] {
        count > 0 ? Array(testOrder.samples(of: labels).prefix(count)) : []
    }

    /// When a waiting label makes a version by time.
    public func nextDeadline(policy: DatasetPolicy) -> StreamTime? {
        let log = position.value
        guard log.training > 0, let since = log.waitingSince else { return nil }
        let latest = since.advanced(byMilliseconds: policy.cutAfter)
        return log.importedAt.map {
            min(
                latest,
                $0.advanced(byMilliseconds: Self.importSettling),
                since.advanced(byMilliseconds: Self.importPatience)
            )
        } ?? latest
    }
}
