/// Dataset versions of a project that are needed, according to the loop's `state` and nothing else.
///
/// Every version that the loop may request later is named by this state, or is newer than every version that the loop
/// knows: so a slightly outdated state never omits a needed version.
public struct VersionNeeds: Hashable, Sendable {
    /// Reasons, by version number.
    public private(set) var reasons: [Int: [String]] = [:]
    /// The newest version that the loop knows; all versions after it are needed.
    public private(set) var newestKnown: Int = 0

    /// Creates needs that include only versions newer than a given version, for tests and tools.
    public init(reasons: [Int: [String]] = [:], newestKnown: Int) {
        self.reasons = reasons
        self.newestKnown = newestKnown
    }

    package mutating func add(_ versionNumber: Int?, _ reason: String) {
        // 0 stands for a registered model, which was not trained on any version here.
        guard let versionNumber, versionNumber > 0 else { return }
        reasons[versionNumber, default: []].append(reason)
    }

    /// Sets `newestKnown` to the newest version for which there is a reason; all newer versions are needed.
    package mutating func noteNewest() { newestKnown = reasons.keys.max() ?? 0 }

    /// Reasons why a version is needed; empty if it is not.
    public func reasons(of versionNumber: Int) -> [String] {
        (reasons[versionNumber] ?? []) + (versionNumber > newestKnown ? ["newer than the loop's state"] : [])
    }
}
