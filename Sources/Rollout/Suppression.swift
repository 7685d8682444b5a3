internal import Kinds
internal import Tables
public import Vocabulary

/// Classes that an operator took out of use.
public struct Suppression: Hashable, Sendable {
    /// By their names, in the order in which they were suppressed.
    public var classes: [String]
    /// When the classes changed last.
    public var since: StreamTime
    /// Candidates of versions that serve whose likeliest class is a suppressed one, since then, as far as they are counted.
    public var ignored: Int

    /// Milliseconds that services have to follow the release.
    static let grace: Int64 = 60_000
    /// Counted before people are told.
    public static let ignoredLimit = 10

    public init(
        classes: [String] = [],
        since: StreamTime = StreamTime(milliseconds: 0),
        ignored: Int = 0
    ) {
        self.classes = classes
        self.since = since
        self.ignored = ignored
    }
}

/// Damage control: a class is no answer any more, at once and until an operator says otherwise.
extension RolloutState {
    /// Names of the classes that services are not to answer.
    public var suppressedClasses: [String] { suppression.value.classes }

    /// Suppresses a class, or ends that.
    ///
    /// Audit labels of a suppressed class leave the comparisons of models for good; evidence that they were part of stays.
    ///
    /// - Parameters:
    ///   - isSuppressed: Whether it is to be suppressed.
    ///   - name: The class's.
    ///   - question: Of the project; two of its classes must stay.
    ///   - evidence: The command.
    ///   - time: Of the entry.
    /// - Returns: The release, nil in a project without champion; refused of a class that the question lacks, that is as wanted
    ///   already, or that is one of the last two.
    /// - Complexity: O(*rowCapacity*).
    public mutating func suppress(
        _ isSuppressed: Bool,
        class name: String,
        of question: Question,
        evidence: Evidence,
        at time: StreamTime
    ) -> Result<ModelRelease?, EntryRejectionError> {
        func refusal(_ text: String) -> Result<ModelRelease?, EntryRejectionError> {
            .failure(.init(.suppressionRefused, text))
        }
        guard question.classes.contains(name) else {
            return refusal("class \"\(name)\" is not in the project's question")
        }
        let old = suppression.value.classes
        guard old.contains(name) != isSuppressed else {
            return refusal("class \"\(name)\" is \(isSuppressed ? "suppressed already" : "not suppressed")")
        }
        guard !isSuppressed || question.classes.count - old.count > 2 else {
            return refusal("class \"\(name)\" is one of the last two that people may answer")
        }
        let classes = isSuppressed ? old + [name] : old.filter { $0 != name }
        suppression.value = Suppression(classes: classes, since: time)
        if isSuppressed {
            let left = rows.sortedRows.filter { $1.label.map { isOut($0, of: question) } ?? false }
            for (sample, _) in left { order.set(sample, nil, in: &rows) }
            recountPairs()
        }
        return .success(release(.suppression, replaced: nil, evidence: evidence))
    }

    /// Whether a label names a suppressed class, and so judges nobody.
    ///
    /// - Complexity: O(1) where none is suppressed.
    public func isOut(_ label: Label, of question: Question) -> Bool {
        guard !suppression.value.classes.isEmpty else { return false }
        return question.classNames(in: label).contains { suppression.value.classes.contains($0) }
    }

    /// Counts a candidate whose likeliest class is a suppressed one, though its version serves and was told.
    ///
    /// - Parameters:
    ///   - version: Whose output was shown.
    ///   - label: The likeliest.
    ///   - question: Of the project.
    ///   - predictedAt: When the service made it; before the release it could not know.
    /// - Returns: What to tell people, once after each change of the classes, with the tenth.
    public mutating func noteIgnored(
        by version: ModelVersion,
        _ label: Label,
        of question: Question,
        predictedAt: StreamTime
    ) -> Notice? {
        let now = suppression.value
        guard !now.classes.isEmpty, now.ignored < Suppression.ignoredLimit,
            predictedAt.milliseconds(since: now.since) > Suppression.grace,
            version == phase.value.champion?.version || version == canary?.version, isOut(label, of: question)
        else { return nil }
        suppression.value.ignored += 1
        guard suppression.value.ignored == Suppression.ignoredLimit else { return nil }
        return Notice(
            kind: .suppressionIgnored,
            text:
                "\(Suppression.ignoredLimit) candidates of \(version) name a class that is suppressed (\(now.classes.joined(separator: ", "))), after the release that says so: services have to leave out what model-releases names as suppressed"
        )
    }
}
