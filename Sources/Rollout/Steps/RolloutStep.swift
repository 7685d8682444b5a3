public import Vocabulary

/// One step of a rollout: the units that the canary serves, and the requirements for the next step.
public struct RolloutStep: Hashable, Sendable {
    /// Share of the units, above 0, at most 1. Nil where a ring is named.
    public var share: Double?
    /// Samples that the canary serves. Nil where a share is named.
    public var ring: RolloutRing?
    /// Minimum duration of the step, in milliseconds.
    public var bake: Int64
    /// Number of voices about the canary that the step needs.
    public var voices: Int
    /// Whether a person has to approve before the step is passed.
    public var approve: Bool

    public init(
        share: Double? = nil,
        ring: RolloutRing? = nil,
        bake: Int64 = 0,
        voices: Int = 0,
        approve: Bool = false
    ) {
        self.share = share
        self.ring = ring
        self.bake = bake
        self.voices = voices
        self.approve = approve
    }

    /// Step at which all users are served at once; the only one that may be unguarded.
    public static let atOnce = RolloutStep(share: 1)
    /// Maximum number of steps of a policy.
    public static let limit = 16

    /// Whether the step is completed without a check, neither of voices nor of a person's approval.
    var isUnguarded: Bool { voices == 0 && !approve }

    /// Describes a fault of a list of steps, for people; nil if there is none.
    static func fault(_ steps: [RolloutStep]) -> String? {
        var least = 0.0
        for (index, step) in steps.enumerated() {
            let name = "step \(index + 1)"
            guard (step.share == nil) != (step.ring == nil) else {
                return
                    "\(name) names \(step.share == nil ? "neither a share nor a ring" : "a share and a ring"): expected one of both"
            }
            if step == .atOnce, index == steps.count - 1 { continue }
            guard !step.isUnguarded else {
                return
                    "\(name) asks for neither voices nor approve, so that nothing would be looked at before the next; only a last step of share 1 without bake may pass unguarded"
            }
            guard let share = step.share else {
                guard least == 0 else { return "\(name) names a ring after a share: rings come first" }
                continue
            }
            guard share >= least else { return "\(name) has share \(share), less than \(least) before it" }
            least = share
        }
        return steps.last?.share == 1 ? nil : "the last step has not share 1: no model would ever serve all users"
    }
}

extension RolloutPolicy {
    /// Whether a promoted model completes steps before it is champion.
    public var isStaged: Bool { !(steps.first ?? .atOnce).isUnguarded }

    /// Returns the step with a number, from 1; the last step if there are fewer.
    func step(_ number: Int) -> RolloutStep {
        steps.isEmpty ? .atOnce : steps[min(max(1, number), steps.count) - 1]
    }
}
