internal import Strategies
internal import Vocabulary

extension AcquisitionPolicy {
    /// The first key that is set and applies to kind `choice` only; nil if there is none.
    ///
    /// Rules that compare classes without being configured to, as `exploration_most` and the end of a cold start, are
    /// inactive in a project of another kind.
    public var choiceKey: String? {
        if function.needsMembers { return "strategy" }
        if batch.rule == .badge || batch.rule == .classBalanced { return "batch.rule" }
        if !batch.classValues.isEmpty { return "batch.class_values" }
        if batch.weights.value > 0 { return "batch.weights.value" }
        if temperature != 1 { return "temperature" }
        let speaksOfClasses = triggers.contains { trigger in
            trigger.condition.flattened.contains { part in
                switch part {
                case .probability, .margin: true
                case .confidence(let label, _): label != nil
                case .all, .any, .not, .score, .role, .version, .metadata, .sample, .disagreement, .overridden: false
                }
            }
        }
        return speaksOfClasses ? "triggers" : nil
    }
}
