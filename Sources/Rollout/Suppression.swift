internal import Kinds
internal import Tables
public import Vocabulary

/// Classes that an operator has withdrawn from use.
public struct Suppression: Hashable, Sendable {
    /// Names of the classes, in the order in which they were suppressed.
    public var classes: [String]
    /// When the classes changed last.
    public var since: StreamTime
    /// Number of candidates since then whose likeliest class is suppressed although their version serves; up to
    /// `ignoredLimit`.
    public var ignored: Int

    /// Time that services are given to follow the release, in milliseconds.
    static let grace: Int64 = 60_000
    /// Number of candidates counted before people are notified.
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

/// Suppression of classes as damage control: a class is no longer an answer, at once and until an operator revokes it.
extension RolloutState {
    /// Names of the classes that services are not to answer.
    public var suppressedClasses: [String] { suppression.value.classes }

    /// Suppresses a class, or ends its suppression.
    ///
    /// Audit labels of a suppressed class are removed from the comparisons of models permanently; evidence that
    /// included them is kept.
    ///
    /// - Parameters:
    ///   - isSuppressed: Whether the class is to be suppressed.
    ///   - name: The name of the class.
    ///   - question: The project's question; two of its classes must remain.
    ///   - evidence: The command.
    ///   - time: The time of the entry.
    /// - Returns: The release, nil in a project without champion; refused if the question lacks the class, if the class
    ///   is already in the requested state, or if it is one of the last two.
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
            let left = rows.sortedRows.filter { $1.label.map { namesSuppressedClass($0, of: question) } ?? false }
            for (sample, _) in left { order.set(sample, nil, in: &rows) }
            recountPairs()
        }
        return .success(release(.suppression, replaced: nil, evidence: evidence))
    }

    /// Whether a label names a suppressed class, so that no model is judged by it.
    ///
    /// - Complexity: O(1) if none is suppressed.
    public func namesSuppressedClass(_ label: Label, of question: Question) -> Bool {
        guard !suppression.value.classes.isEmpty else { return false }
        return question.classNames(in: label).contains { suppression.value.classes.contains($0) }
    }

    /// Counts a candidate whose most likely class is a suppressed one, although its version serves and the suppression
    /// was announced.
    ///
    /// - Parameters:
    ///   - version: The version whose output was shown.
    ///   - label: The most likely label.
    ///   - question: The project's question.
    ///   - predictedAt: Time at which the service made the prediction; before the release, the service could not know
    ///     of the suppression.
    /// - Returns: A notice for people, once after each change of the classes, with the tenth candidate.
    public mutating func noteIgnored(
        by version: ModelVersion,
        _ label: Label,
        of question: Question,
        predictedAt: StreamTime
    ) -> Notice? {
        let current = suppression.value
        guard !current.classes.isEmpty, current.ignored < Suppression.ignoredLimit,
            predictedAt.milliseconds(since: current.since) > Suppression.grace,
            version == roles.value.champion?.version || version == canary?.version,
            namesSuppressedClass(label, of: question)
        else { return nil }
        suppression.value.ignored += 1
        guard suppression.value.ignored == Suppression.ignoredLimit else { return nil }
        return Notice(
            kind: .suppressionIgnored,
            text:
                "\(Suppression.ignoredLimit) candidates of \(version) name a class that is suppressed (\(current.classes.joined(separator: ", "))), after the release that says so: services have to leave out what model-releases names as suppressed"
        )
    }
}
