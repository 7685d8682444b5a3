internal import Kinds
public import Tables
public import Vocabulary

/// Policy of dataset versions: when they are cut, their format, and the revision of labels.
public struct DatasetPolicy: Hashable, Sendable {
    /// Number of new training labels for which a version is cut; at least 1. Half as many are enough while no task is
    /// open, because no more are coming.
    public var cutEvery: Int
    /// The longest that any new label, or change of one, waits for a version, in milliseconds.
    public var cutAfter: Int64
    /// The format of dataset versions, see `DatasetFormat`; nil if it is not specified.
    public var format: Int?
    /// Action where a label's votes, counted anew, name another class.
    public var revise: RevisionAction

    /// Actions where the votes of a label, counted anew, name another class.
    public enum RevisionAction: String, Hashable, Sendable, CaseIterable {
        /// The difference is reported to people.
        case report
        /// The label is revised.
        case apply
    }

    public init(
        cutEvery: Int = 10,
        cutAfter: Int64 = 3_600_000,
        format: Int? = nil,
        revise: RevisionAction = .report
    ) {
        self.format = format
        self.revise = revise
        self.cutEvery = cutEvery
        self.cutAfter = cutAfter
    }
}

/// Position of the dataset log of a project, with counts of its labels.
public struct LogPosition: Hashable, Sendable {
    /// Sequence number of the last fact or cut.
    public var sequence: Int64
    /// Version number of the last cut.
    public var versionNumber: Int
    /// Training labels now: accepted as such or moved here, and neither retracted nor moved elsewhere.
    public var training: Int
    /// Validation labels now.
    public var validation: Int
    /// Test labels now.
    public var test: Int
    /// Training labels accepted since the last cut.
    public var newTraining: Int
    /// Labels accepted into any split since the last cut, and changes of labels since then.
    public var newLabels: Int
    /// Time at which the first label since the last cut was accepted, or the first change made.
    public var waitingSince: StreamTime?
    /// The latest prediction of any sample that was accepted for training.
    public var newestSampleAt: StreamTime
    /// Time at which the last label since the last cut was imported; nil if none was.
    public var importedAt: StreamTime?
    /// Format of the facts so far, fixed once a label was changed or a version was cut in it: no later fact has an
    /// earlier one.
    public var format: Int
    /// Labels of the anchor so far; 0 before labels of the project are moved out of the test labels.
    public var anchored: Int

    public init(
        sequence: Int64 = 0,
        versionNumber: Int = 0,
        training: Int = 0,
        validation: Int = 0,
        test: Int = 0,
        newTraining: Int = 0,
        newLabels: Int = 0,
        waitingSince: StreamTime? = nil,
        newestSampleAt: StreamTime = StreamTime(milliseconds: 0),
        importedAt: StreamTime? = nil,
        format: Int = DatasetFormat.additions,
        anchored: Int = 0
    ) {
        self.anchored = anchored
        self.format = format
        self.importedAt = importedAt
        self.sequence = sequence
        self.versionNumber = versionNumber
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

/// Labels of a project, and the versions cut from them.
public struct DatasetsState: Sendable {
    /// One row for each sample that has a label, or had one; never removed.
    public var labels = Table<SampleID, LabelRow>()
    public var position = Cell(LogPosition())
    /// Cuts not yet sealed, by version number.
    public var pending = Table<Int, PendingCut>()
    /// Cut marks of versions whose test labels may be requested, by version number; only of versions of format 2.
    public var cuts = Table<Int, CutMark>()
    /// Test labels that one of these versions contains and no later one, by the number of their former fact.
    public var former = Table<Int, FormerTestLabel>()
    /// Audit labels after the anchor that are test labels, by the number of their acceptance; see `shrinkWindow`.
    public var window = Table<Int, WindowLabel>()
    /// Order of the labels in `window`, a cache.
    var windowOrder = WindowOrder()
    /// The test labels in the order of the log, a cache.
    private var testOrder = TestOrder()
    /// The keys of imported labels, a cache.
    private var importKeys = ImportKeys()

    public init() {}

    /// The format of the facts that are written under a policy: once one was of format 2, all later ones are.
    public func format(_ policy: DatasetPolicy) -> Int {
        max(policy.format ?? DatasetFormat.additions, position.value.format)
    }

    /// Accepts a label into the log. Test labels originate from the audit sample only, and every label of it is a test
    /// label, so no sample is ever in both.
    ///
    /// - Parameters:
    ///   - consensus: The label.
    ///   - question: Question of the project.
    ///   - policy: The revision in force.
    ///   - key: Key of an imported label.
    ///   - reason: Reason for which its sample was queried; nil if it was not queried.
    ///   - audit: Origin of its query, for a label of the audit sample if champion and challenger are distinguished.
    ///   - movesTestLabels: Whether test labels are moved to training, once neither in the anchor nor in the window.
    ///   - time: Time of the entry.
    /// - Returns: The fact for the log; refused for a label that the question does not allow, or a sample that has one.
    public mutating func accept(
        _ consensus: ConsensusLabel,
        question: Question,
        policy: DatasetPolicy = DatasetPolicy(),
        imported key: UInt64? = nil,
        queriedBecause reason: SelectionReason? = nil,
        audit: AuditOrigin? = nil,
        movesTestLabels: Bool = false,
        at time: StreamTime
    ) -> Result<LabelFact, EntryRejectionError> {
        let id = consensus.sample.id
        if let complaint = question.complaint(consensus.label) {
            return .failure(.init(.unknownClass, complaint))
        }
        if let known = labels[id] {
            let text = known.isLiving ? "sample \(id) has a label already" : "the label of sample \(id) was retracted"
            return .failure(.init(.duplicate, text))
        }
        guard let split = consensus.purpose.split else {
            preconditionFailure("a label of \(consensus.purpose) is no part of the dataset")
        }
        var log = position.value
        log.sequence += 1
        log.newLabels += 1
        log.count(split, 1)
        if split == .training {
            log.newTraining += 1
            log.newestSampleAt = max(log.newestSampleAt, consensus.predictedAt)
        }
        if log.waitingSince == nil { log.waitingSince = time }
        let format = format(policy)
        let supportsChanges = format >= DatasetFormat.changes
        if split == .test { addToWindow(consensus.sample, &log, startsWindow: movesTestLabels && supportsChanges) }
        if key != nil {
            log.importedAt = time
            // Validation labels accepted before could form no version: their waiting time does not count.
            if split == .training, log.training == 1 { log.waitingSince = time }
        }
        position.value = log
        set(id, LabelRow(label: consensus.label, split: split, sequence: log.sequence, importKey: key))
        return .success(
            LabelFact(
                consensus: consensus,
                split: split,
                sequence: log.sequence,
                format: format,
                acceptedAt: supportsChanges ? time : nil,
                inclusionProbability: supportsChanges ? reason?.inclusionProbability : nil,
                propensity: supportsChanges ? reason?.propensity : nil,
                audit: supportsChanges ? audit : nil
            )
        )
    }

    /// Changes a row, and both caches with it.
    mutating func set(_ id: SampleID, _ row: LabelRow) {
        let areKeysCurrent = importKeys.isCurrent(labels)
        testOrder.set(id, row, in: &labels)
        if areKeysCurrent { importKeys.add(row, in: labels) }
    }

    /// Living test labels in the order of the log.
    mutating func testLines() -> [(sequence: Int64, id: SampleID)] { testOrder.lines(of: labels) }

    /// Whether a label was imported under that key.
    ///
    /// - Complexity: O(1); the first time, or after an abort, O(*n*) in the number of labels.
    public mutating func hasImported(_ key: UInt64) -> Bool { importKeys.contains(key, of: labels) }

    /// Milliseconds after the last imported label before a version is cut: labels imported together form one version.
    static let importSettling: Int64 = 5_000
    /// Milliseconds after the first label that waits before a version is cut although an import continues: an endless
    /// import of occasional labels delays no others.
    static let importWait: Int64 = 300_000

    /// Whether `cutIfDue` would cut a version.
    ///
    /// - Complexity: O(1).
    public func isCutDue(policy: DatasetPolicy, isMoreComing: Bool, at time: StreamTime) -> Bool {
        let log = position.value
        let enough = isMoreComing ? policy.cutEvery : (policy.cutEvery + 1) / 2
        guard let since = log.waitingSince, log.newLabels > 0, log.training > 0 else { return false }
        let isDue =
            log.importedAt.map {
                time.milliseconds(since: $0) >= Self.importSettling
                    || time.milliseconds(since: since) >= Self.importWait
            } ?? (log.newTraining >= enough)
        return isDue || time.milliseconds(since: since) >= policy.cutAfter
    }

    /// Cuts a version when enough labels are new, when a label or a change has waited long enough, or when an import
    /// has ended. A change alone waits: changes within `cutAfter`, or until enough labels arrived, form one version.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - question: Question whose classes the version names.
    ///   - embedding: Embedding space in use; nil while it is unknown.
    ///   - isMoreComing: Whether a task for a training label is open. If not, half of `cutEvery` is enough, so that a
    ///     batch with a task that was never answered does not wait for the next.
    ///   - time: Time of the entry.
    /// - Returns: The cut; nil when none is due.
    public mutating func cutIfDue(
        policy: DatasetPolicy,
        question: Question,
        embedding: EmbeddingSpace? = nil,
        isMoreComing: Bool,
        at time: StreamTime
    ) -> VersionCut? {
        guard isCutDue(policy: policy, isMoreComing: isMoreComing, at: time) else { return nil }
        var log = position.value
        log.sequence += 1
        log.versionNumber += 1
        log.newTraining = 0
        log.newLabels = 0
        log.waitingSince = nil
        log.importedAt = nil
        let format = format(policy)
        if format >= DatasetFormat.changes {
            log.format = format
            cuts[log.versionNumber] = CutMark(sequence: log.sequence)
        }
        position.value = log
        pending[log.versionNumber] = PendingCut(cutAt: time, newestSampleAt: log.newestSampleAt)
        return VersionCut(
            versionNumber: log.versionNumber,
            sequence: log.sequence,
            training: log.training,
            validation: log.validation,
            test: log.test,
            kind: question.kind,
            classes: question.classes,
            embedding: embedding,
            format: format
        )
    }

    /// Removes and returns the pending cut of a sealed version; nil if the version was sealed before or never cut.
    public mutating func seal(_ version: SealedVersion) -> PendingCut? {
        guard let cut = pending[version.versionNumber] else { return nil }
        pending[version.versionNumber] = nil
        return cut
    }

    /// Time at which a version is cut for a waiting label or change, whatever their number; nil if none is waiting or
    /// there are no training labels.
    public func nextDeadline(policy: DatasetPolicy) -> StreamTime? {
        let log = position.value
        guard log.training > 0, let since = log.waitingSince else { return nil }
        let latest = since.advanced(byMilliseconds: policy.cutAfter)
        return log.importedAt.map {
            min(
                latest,
                $0.advanced(byMilliseconds: Self.importSettling),
                since.advanced(byMilliseconds: Self.importWait)
            )
        } ?? latest
    }
}
