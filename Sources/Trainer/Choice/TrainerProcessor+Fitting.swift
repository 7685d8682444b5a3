internal import DatasetFiles
internal import EngineCore
internal import Events
internal import Learner
internal import Statistics
internal import Vocabulary

extension DatasetManifest {
    /// Refuses a version of another kind than the built-in trainer's.
    ///
    /// - Throws: `EngineError` that names the kind.
    func requireTrainable(in name: String) throws(EngineError) {
        guard kind == .choice else {
            throw EngineError(
                "train on \(name)",
                "its labels are of kind \(kind.rawValue), and the built-in trainer knows choice",
                remedy: "use a trainer of your own"
            )
        }
    }
}

/// Computation of a repeat, independent of files and topics.
extension TrainerProcessor {
    /// Fits the model of a repeat. The first repeat weights every label equally. The objective is convex, so another
    /// starting point would end in the same model; the other repeats draw new weights of the labels instead, so that
    /// their scores show how much depends on single labels.
    func fit(
        _ data: TrainingData,
        _ hyperparameters: Hyperparameters,
        _ initialModel: SoftmaxRegression?,
        seed: UInt64,
        isFirst: Bool
    ) throws -> SoftmaxRegression {
        var options = SoftmaxRegression.Options()
        options.inverseStrength = hyperparameters.inverseRegularization
        let usable = initialModel.flatMap {
            $0.classes == data.classes && $0.featureCount == data.training.columnCount ? $0 : nil
        }
        let fit: SoftmaxRegression.Fit
        do throws(LearnerError) {
            fit = try SoftmaxRegression.fit(
                data.training,
                labels: data.trainingLabels,
                classes: data.classes,
                sampleWeights: isFirst ? nil : Self.weights(data.trainingLabels.count, seed: seed),
                startingFrom: usable,
                options: options
            )
        } catch {
            guard error.kind == .value else { throw error }
            throw Self.notConverged("\(error)", data)
        }
        guard fit.isUsable else {
            let steps = "after \(fit.iterations) steps it says no more than the classes' shares do"
            throw Self.notConverged(steps, data)
        }
        return fit.model
    }

    /// Failure of a repeat that learnt nothing: if it were released again, the model would only shadow itself.
    static func unchanged(_ request: TrainingRequest, _ data: TrainingData) -> StudyFailure {
        StudyFailure(
            failure: .sameAsParent,
            error: EngineError(
                "make a new model of version \(request.dataset.id)",
                "what was fitted is \(request.warmStart?.version.rawValue ?? "the model before"), byte for byte"
            ),
            leftOut: data.leftOut
        )
    }

    private static func notConverged(_ reason: String, _ data: TrainingData) -> StudyFailure {
        StudyFailure(
            failure: .didNotConverge,
            error: EngineError(
                "fit \(data.training.rowCount) labels of \(data.training.columnCount) features",
                reason,
                remedy: "look at the scale of the embeddings"
            ),
            leftOut: data.leftOut
        )
    }

    func scored(_ model: SoftmaxRegression, _ data: TrainingData, _ artifact: ArtifactReference)
        -> TrainingResult.Outcome
    {
        var score: Double?
        var predictions: [Label]?
        if let test = data.test {
            score = model.accuracy(on: test, labels: data.testLabels)
            if data.testCount <= TrainingResult.predictionLimit {
                // Positions without a row are named among those left out.
                var answers = [Label](repeating: .choice(ClassIndex(0)), count: data.testCount)
                for (row, position) in data.testPositions.enumerated() {
                    answers[position] = .choice(ClassIndex(model.predict(test.row(row))))
                }
                predictions = answers
            }
        }
        return .finished(
            artifact: artifact,
            score: score,
            itemsScored: data.testLabels.count,
            predictions: predictions
        )
    }

    /// Weights of a smoothed Bayesian bootstrap: each is the mean of eight exponential draws, so it has mean 1 and
    /// variance 1/8. No label is lost, whereas a resample would lose a third of them.
    ///
    /// - SeeAlso: Rubin (1981), *The Bayesian Bootstrap*; Newton, Raftery (1994), the weighted likelihood bootstrap.
    static func weights(_ count: Int, seed: UInt64) -> [Double] {
        var generator = SplitMix64(seed: seed)
        var weights: [Double] = []
        for _ in 0..<count {
            var sum = 0.0
            for _ in 0..<8 { sum -= Reproducible.log(1 - generator.nextUnit()) }
            weights.append(sum / 8)
        }
        return weights
    }
}
