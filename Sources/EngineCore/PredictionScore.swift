internal import Acquisition
internal import Events
package import Flywheel
package import Hashing
internal import Kinds
internal import Vocabulary

extension PredictionEvent {
    /// Returns the acquisition score of a prediction: computed from its whole content, or the sample's own draw if
    /// there is nothing to score.
    ///
    /// - Parameters:
    ///   - configuration: The project's revision.
    ///   - random: Draws by sample and model; nil if the workers' salt is not known.
    /// - Returns: A score in `0...1`; nil if a draw is required that is not known.
    package func score(_ configuration: ProjectConfiguration, random: StableHash?) -> Double? {
        let policy = configuration.acquisition
        guard policy.function != .random, let output else {
            if policy.function == .provided, let score = detail.score { return score }
            // A new draw for every model: otherwise the same samples would be selected first again and again.
            return random?.unit(key: "\(sample.id)/\(model?.version.rawValue ?? "")")
        }
        return output.summary(
            configuration.question,
            policy.function,
            temperature: policy.temperature,
            detail: detail
        )?.score ?? 0
    }
}
