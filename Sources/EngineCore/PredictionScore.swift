internal import Acquisition
internal import Events
package import Flywheel
package import Hashing
internal import Kinds
internal import Vocabulary

extension PredictionEvent {
    /// The acquisition score of a prediction: of all it carries, or the sample's own draw where nothing is judged.
    ///
    /// - Parameters:
    ///   - configuration: The project's revision.
    ///   - random: Draws by sample and model; nil where the workers' salt is not known.
    /// - Returns: In `0...1`; nil where a draw is wanted that is not known.
    package func score(_ configuration: ProjectConfiguration, random: StableHash?) -> Double? {
        let policy = configuration.acquisition
        guard policy.function != .random, let output else {
            if policy.function == .provided, let score = detail.score { return score }
            // A new draw for every model: the same samples would come to the front again and again.
            return random?.unit(key: "\(sample.id)/\(model?.version.rawValue ?? "")")
        }
        return output.summary(
            configuration.question,
            policy.function,
            temperature: policy.temperature,
            beside: detail
        )?.score ?? 0
    }
}
