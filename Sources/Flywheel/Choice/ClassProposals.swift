internal import Tables
internal import Vocabulary

/// Classes that corrections name and the project lacks.
///
/// Only feedback that counts is included: about the champion, once, and from each user as often as `rollout.user_cap`
/// allows. The number of names kept is limited, so that a client that sends new names each time does not fill a table:
/// a new name replaces the least frequent one, but never one that a notice has proposed. Each revision removes all
/// names.
enum ClassProposals {
    /// Maximum number of names that are kept.
    static let limit = 32
    /// Number of corrections at which a name is proposed; the next notices follow at 10, 30, 100 and so on.
    static let proposalThreshold: Int64 = 3

    /// Counts a correction to a class that the project lacks; its name has 1 to 128 bytes.
    ///
    /// - Returns: The notice for people, if the count requires one.
    /// - Complexity: O(`limit`).
    static func count(_ name: String, in proposals: inout Table<String, Int64>) -> Notice? {
        if proposals[name] == nil, proposals.count >= limit {
            // Among equally frequent names, the last in the order of names is removed.
            let least = proposals.minimum { ($0.value, $1.key) < ($1.value, $0.key) }
            guard let least, least.value < proposalThreshold else { return nil }
            proposals[least.key] = nil
        }
        let count = (proposals[name] ?? 0).adding(1)
        proposals[name] = count
        guard isReported(count) else { return nil }
        return Notice(
            kind: .classProposed,
            text:
                "\(count) corrections name class \"\(name)\", which the project lacks: append it to classes, or mend what offers it to users"
        )
    }

    static func forget(in proposals: inout Table<String, Int64>) {
        for name in proposals.sortedKeys { proposals[name] = nil }
    }

    /// Whether a count is 3, 10, 30, 100 and so on.
    private static func isReported(_ count: Int64) -> Bool {
        var rest = count
        while rest >= 10, rest % 10 == 0 { rest /= 10 }
        return rest == proposalThreshold || rest == 1 && count >= 10
    }
}
