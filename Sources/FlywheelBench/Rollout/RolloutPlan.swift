import Rollout
import Vocabulary

/// Events in the life of `flywheel-bench rollout`.
struct RolloutPlan {
    let days: Int
    let steps: Int
    let voicesPerHour: Int
    let buckets: Int
    let seed: UInt64

    /// Policy with steps of doubling shares up to 0.4, then 1, all equally long; a person approves the last step.
    var policy: RolloutPolicy {
        let bake = Int64(days) * 86_400_000 / Int64(steps + 2)
        let all = (1...steps).map { number -> RolloutStep in
            let share = number == steps ? 1 : 0.8 / Double(1 << (steps - number))
            return RolloutStep(share: share, bake: bake, voices: 20, approve: number == steps)
        }
        return RolloutPolicy(
            minimumShadow: 0,
            bound: .challenger,
            userBuckets: buckets,
            steps: all,
            holdback: 0.05
        )
    }
}
