/// Which dataset versions of a project are needed, by what the loop knows: its `state`, and nothing else.
///
/// Whatever the loop may ask for later is named by this state, or newer than everything that it has heard of: so a state that
/// is a little old names no version too few.
public struct VersionNeeds: Hashable, Sendable {
    /// Why, by ordinal.
    public private(set) var reasons: [Int: [String]] = [:]
    /// The newest version that the loop has heard of; all from there on are needed.
    public private(set) var heardOf: Int = 0

    /// Nothing is needed but what is newer than a version, for tests and tools.
    public init(reasons: [Int: [String]] = [:], heardOf: Int) {
        self.reasons = reasons
        self.heardOf = heardOf
    }

    package mutating func add(_ ordinal: Int?, _ reason: String) {
        // 0 of a model that was registered: nothing of ours made it.
        guard let ordinal, ordinal > 0 else { return }
        reasons[ordinal, default: []].append(reason)
    }

    /// All versions are needed that are newer than the newest one that is named.
    package mutating func noteNewest() { heardOf = reasons.keys.max() ?? 0 }

    /// Why a version is needed; empty where it is not.
    public func reasons(of ordinal: Int) -> [String] {
        (reasons[ordinal] ?? []) + (ordinal > heardOf ? ["newer than what the loop has heard of"] : [])
    }
}
