internal import Kinds
internal import Statistics
public import Tables
public import Vocabulary

/// Frequency at which the newest model is sure and wrong, measured without bias on the audit sample.
///
/// No score finds a class that a model is wrongly sure to know, because its samples appear to be the least useful.
/// Audit labels find such a class in proportion to its frequency. If the model is wrong more often than its own
/// confidence states, part of each batch is selected at random; once newer models predict the same audit samples
/// better, this exploration ends. Of the audit labels, only one rate for each class that the model predicts is used
/// outside the audit sample.
public struct ConfidentErrors: Sendable {
    /// Queried audit samples: at most one row for each open audit task, and `capacity` with a label.
    public var verdicts = Table<SampleID, AuditVerdict>()
    public var level = Cell(ExplorationLevel())

    /// Largest number of verdicts with a label that are kept; the verdict with the oldest label is removed.
    public static let capacity = 256
    /// Lowest probability of a class at which a model counts as sure of it.
    static let sure = 0.9
    /// Audit labels after which a verdict that was not renewed counts half.
    static let halfLife = 32
    /// Lower bound of the error probability assumed for any model.
    static let leastDoubt = 1e-4
    /// The evidence against a model's confidence that starts exploration: at most a tenth of models that are right as
    /// often as they state reach it.
    static let evidence = 10.0
    /// Ratio of the extra share of a batch to the share of confident predictions that are wrong in excess of the stated
    /// confidence.
    static let gain = 10.0

    public init() {}

    // MARK: - Verdicts

    /// Creates the verdict of an audit sample whose task opens.
    mutating func note(_ pooled: PooledCandidate, _ policy: AcquisitionPolicy, classes: Int) {
        guard policy.measuresErrors else { return }
        var verdict = AuditVerdict()
        Self.note(
            pooled.candidate,
            versionNumber: pooled.modelVersionNumber,
            in: &verdict,
            under: policy,
            classes: classes
        )
        verdicts[pooled.candidate.sample.id] = verdict
    }

    /// Records the prediction of a model for a queried audit sample: that of a newer model replaces the older one.
    mutating func observe(_ candidate: Candidate, modelVersionNumber: Int, _ policy: AcquisitionPolicy, classes: Int) {
        guard policy.measuresErrors, var verdict = verdicts[candidate.sample.id],
            modelVersionNumber > verdict.versionNumber
                || (verdict.predicted == nil && modelVersionNumber == verdict.versionNumber)
        else { return }
        guard Self.note(candidate, versionNumber: modelVersionNumber, in: &verdict, under: policy, classes: classes)
        else { return }
        if verdict.label != nil { verdict.renewed = level.value.labels }
        verdicts[candidate.sample.id] = verdict
    }

    /// Records that a newer model predicts the label of an audit sample, with unknown confidence: it has learnt what an
    /// older one was wrong about.
    mutating func corrected(_ sample: SampleID, _ label: ClassIndex, modelVersionNumber: Int) {
        guard var verdict = verdicts[sample], verdict.label == label, verdict.predicted != nil,
            verdict.predicted != label, modelVersionNumber > verdict.versionNumber
        else { return }
        verdict.predicted = nil
        verdict.confidence = 0
        verdict.versionNumber = modelVersionNumber
        verdicts[sample] = verdict
    }

    /// Adds the label of a closed audit task to its verdict; the verdict is removed if there is no label or errors are
    /// not measured.
    mutating func closed(_ sample: SampleID, label: ClassIndex?, _ policy: AcquisitionPolicy) {
        guard var verdict = verdicts[sample] else { return }
        guard let label, policy.measuresErrors else {
            verdicts[sample] = nil
            return
        }
        verdict.label = label
        verdict.number = level.value.labels
        level.value.labels += 1
        verdict.renewed = level.value.labels
        verdicts[sample] = verdict
        makeRoom()
    }

    /// Replaces the label of a verdict; nil removes the verdict.
    mutating func relabelled(_ sample: SampleID, _ label: ClassIndex?) {
        guard var verdict = verdicts[sample], verdict.label != nil else { return }
        verdict.label = label
        verdicts[sample] = label == nil ? nil : verdict
    }

    private mutating func makeRoom() {
        let labelled = verdicts.count { $1.label != nil }
        guard labelled > Self.capacity else { return }
        let oldest = verdicts.minimum { a, b in
            let (first, second) = (a.value.label == nil, b.value.label == nil)
            if first != second { return second }
            return a.value.number != b.value.number ? a.value.number < b.value.number : a.key < b.key
        }
        if let oldest { verdicts[oldest.key] = nil }
    }

    /// - Returns: Whether the candidate has an output.
    @discardableResult
    private static func note(
        _ candidate: Candidate,
        versionNumber: Int,
        in verdict: inout AuditVerdict,
        under policy: AcquisitionPolicy,
        classes: Int
    ) -> Bool {
        guard let output = candidate.output?.distribution else { return false }
        verdict.predicted = output.top.label
        verdict.confidence = policy.confidence(of: output, classes: classes)
        verdict.versionNumber = versionNumber
        return true
    }

    // MARK: - Level

    /// Works out how much exploration the verdicts call for, and in which of the classes that the model predicts.
    ///
    /// - Complexity: O(*n* log *n*) in the verdicts, which are added up by ascending id because sums depend on their
    ///   order.
    mutating func settle(_ policy: AcquisitionPolicy) {
        var (extra, classes): (Double, [ClassIndex]) = (0, [])
        if policy.measuresErrors {
            let records = records
            let labels = records.keys.sorted()
            let all = labels.reduce(0) { $0 + (records[$1]?.count ?? 0) }
            // Each class that is examined is another chance of a false alarm.
            let threshold = Self.evidence * Double(labels.count)
            for label in labels {
                guard let record = records[label], let rate = record.surplus(evidence: threshold) else { continue }
                extra += Self.gain * rate * record.count / all
                classes.append(label)
            }
        }
        let level = ExplorationLevel(labels: level.value.labels, extra: min(1, extra), classes: classes)
        if level != self.level.value { self.level.value = level }
    }

    /// Record of each predicted class, from the audit samples that the newest model was sure belong to it.
    private var records: [ClassIndex: ConfidenceRecord] {
        var records: [ClassIndex: ConfidenceRecord] = [:]
        guard !verdicts.isEmpty else { return records }
        for (_, verdict) in verdicts.sortedRows {
            guard let label = verdict.label, let predicted = verdict.predicted, verdict.confidence >= Self.sure
            else { continue }
            let age = max(0, level.value.labels - verdict.renewed) / Self.halfLife
            let weight = 1 / Double(UInt64(1) << UInt64(min(age, 60)))
            records[predicted, default: ConfidenceRecord()].count(
                isRight: predicted == label,
                doubt: max(Self.leastDoubt, 1 - verdict.confidence),
                weight: weight
            )
        }
        return records
    }
}

extension AcquisitionState {
    /// Records that an audit task closed, and its label; nil if it closed without one.
    ///
    /// - Complexity: O(1), or O(*n*) in the verdicts kept if there is a label.
    public mutating func auditClosed(_ sample: SampleID, label: Label?, policy: AcquisitionPolicy) {
        accounts.confidentErrors.closed(sample, label: label?.classIndex, policy)
    }

    /// Records that the label of an audit sample changed; nil if the sample is no longer used for testing.
    ///
    /// - Complexity: O(1).
    public mutating func auditRelabelled(_ sample: SampleID, _ label: Label?) {
        accounts.confidentErrors.relabelled(sample, label?.classIndex)
    }

    /// Records a trainer's report that its model predicts for an audit sample the label that people gave.
    ///
    /// - Parameters:
    ///   - sample: A sample of the audit sample.
    ///   - label: Label of the model; a label that people did not give has no effect, because the confidence of the
    ///     model is not reported.
    ///   - modelVersionNumber: The dataset version number of the model.
    /// - Complexity: O(1).
    public mutating func auditPredicted(_ sample: SampleID, _ label: Label, modelVersionNumber: Int) {
        guard let label = label.classIndex else { return }
        accounts.confidentErrors.corrected(sample, label, modelVersionNumber: modelVersionNumber)
    }
}

extension AcquisitionPolicy {
    /// Whether confident errors are measured, since they may raise the share that is selected at random.
    var measuresErrors: Bool {
        edition >= 2 && stream == nil && function != .random && explorationMost > explorationShare && isAudited
    }

    /// The share of a batch, and of the candidates that Intake forwards, that is selected at random now, in `0...1`.
    ///
    /// - Parameter extra: Extra share of `ExplorationLevel`.
    /// - Returns: The share in the policy, plus the extra share within its bound.
    public func explorationShare(extra: Double) -> Double {
        guard measuresErrors else { return explorationShare }
        return min(explorationMost, explorationShare + max(0, extra))
    }

    /// The probability that a model gives the class that it thinks likeliest, tempered.
    func confidence(of output: ClassDistribution, classes: Int) -> Double {
        guard temperature != 1 else { return output.top.probability }
        return Calibration.apply(temperature, to: ScoredPrediction(output: output), classes: classes).top.probability
    }
}

extension ExplorationLevel {
    /// Whether the model is sure that a candidate is of one of the classes in question.
    func isSure(_ candidate: Candidate, _ policy: AcquisitionPolicy, classes: Int) -> Bool {
        guard let output = candidate.output?.distribution, self.classes.contains(output.top.label) else { return false }
        return policy.confidence(of: output, classes: classes) >= ConfidentErrors.sure
    }
}
