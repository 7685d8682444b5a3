internal import Tables
internal import Vocabulary

/// Classes that corrections name and the project lacks.
///
/// Only feedback that counts comes here: about the champion, once, and of each user as often as `rollout.user_cap` says. So
/// many names are kept at once that whoever sends others each time fills no table: a new name takes the place of the one
/// that was named least, but never of one that a notice has proposed. With each revision all are forgotten.
enum ClassProposals {
    /// Names that are kept.
    static let limit = 32
    /// Corrections before a name is proposed; the next notices come with 10, 30, 100 and so on.
    static let first: Int64 = 3

    /// Counts a correction to a class that the project lacks; its name has 1 to 128 bytes.
    ///
    /// - Returns: What to tell people, if the count is one to tell.
    /// - Complexity: O(`limit`).
    static func count(_ name: String, in proposals: inout Table<String, Int64>) -> Notice? {
        if proposals[name] == nil, proposals.count >= limit {
            // Of equals the last name goes.
            let least = proposals.minimum { ($0.value, $1.key) < ($1.value, $0.key) }
            guard let least, least.value < first else { return nil }
            proposals[least.key] = nil
        }
        let count = (proposals[name] ?? 0).adding(1)
        proposals[name] = count
        guard isTold(count) else { return nil }
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
    private static func isTold(_ count: Int64) -> Bool {
        var rest = count
        while rest >= 10, rest % 10 == 0 { rest /= 10 }
        return rest == first || rest == 1 && count >= 10
    }
}
