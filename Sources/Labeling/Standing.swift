internal import Kinds
internal import Tables
public import Vocabulary

/// Annotators with standing, as distinguished from names that any client could have invented.
///
/// An annotator has standing when the project names them, or after five answers that agreed with labels to which two
/// others contributed: only tasks of three answers or more count, and none whose label contradicts all annotators with
/// standing. While no annotator has standing, all names count alike. From then on a name without standing counts with
/// an accuracy of 0.7 at most, closes no task by itself before the task has all its votes, and cannot make a task
/// unanswerable.
struct Standing: Sendable {
    /// Number of agreements that give standing.
    static let agreementsNeeded = 5
    /// Number of other contributors that a label needs, so that agreement with it counts.
    static let othersNeeded = 2
    /// Maximum accuracy assumed of a name without standing, once any annotator has standing.
    static let accuracyLimitWithout = 0.7

    /// Whether any annotator has standing: from then on names without standing are distinguished.
    let isHeldByAnyone: Bool
    private let named: [AnnotatorID]

    init(isHeldByAnyone: Bool, named: [AnnotatorID]) {
        self.isHeldByAnyone = isHeldByAnyone
        self.named = named
    }

    /// Whether an annotator with the given reliability has standing.
    func has(_ annotator: AnnotatorID, _ reliability: AnnotatorReliability?) -> Bool {
        reliability?.hasEarnedStanding == true || named.contains(annotator)
    }

    /// Returns the accuracy with which an answer counts, in `0.01...0.99`.
    func accuracy(of annotator: AnnotatorID, _ reliability: AnnotatorReliability?) -> Double {
        let accuracy = (reliability ?? AnnotatorReliability()).accuracy
        return isHeldByAnyone && !has(annotator, reliability) ? min(Self.accuracyLimitWithout, accuracy) : accuracy
    }
}

extension AnnotatorReliability {
    /// Whether the annotator has standing by agreement.
    public var hasEarnedStanding: Bool { agreements >= Standing.agreementsNeeded }
}

/// Number of annotators with earned standing, without a scan of all annotators.
///
/// A cache, not part of the state: it is valid for one revision of the table and is recounted for any other.
struct StandingCount: Sendable {
    private var revision: UInt64?
    private var count = 0

    /// - Complexity: O(1) if all changes were followed, else O(*n*).
    mutating func current(_ annotators: Table<AnnotatorID, AnnotatorReliability>) -> Int {
        if revision != annotators.revision {
            count = annotators.count { $1.hasEarnedStanding }
            revision = annotators.revision
        }
        return count
    }

    /// Changes a row, and updates the count accordingly.
    mutating func set(
        _ id: AnnotatorID,
        _ row: AnnotatorReliability,
        in annotators: inout Table<AnnotatorID, AnnotatorReliability>
    ) {
        let isCurrent = revision == annotators.revision
        let had = annotators[id]?.hasEarnedStanding ?? false
        annotators[id] = row
        guard isCurrent else { return }
        count += (row.hasEarnedStanding ? 1 : 0) - (had ? 1 : 0)
        revision = annotators.revision
    }
}

extension LabelingState {
    /// Whether an annotator has standing now.
    public func hasStanding(_ annotator: AnnotatorID, policy: LabelingPolicy) -> Bool {
        Standing(isHeldByAnyone: true, named: policy.annotators).has(annotator, annotators[annotator])
    }

    /// Returns the annotators with standing now.
    ///
    /// - Complexity: O(1) if changes were followed, else O(*n*) in the annotators.
    mutating func standing(_ policy: LabelingPolicy) -> Standing {
        let isHeldByAnyone = !policy.annotators.isEmpty || standingCount.current(annotators) > 0
        return Standing(isHeldByAnyone: isHeldByAnyone, named: policy.annotators)
    }

    /// Whether an annotator with standing has answered a task.
    func hasVote(_ task: OpenTask, of standing: Standing) -> Bool {
        task.votes.contains { standing.has($0.annotator, annotators[$0.annotator]) }
    }

    /// Whether an annotator with standing has given the answer of the consensus.
    func hasVote(_ task: OpenTask, of standing: Standing, for consensus: Consensus<Label>) -> Bool {
        zip(task.votes, consensus.supports).contains { vote, supports in
            supports && standing.has(vote.annotator, annotators[vote.annotator])
        }
    }
}
