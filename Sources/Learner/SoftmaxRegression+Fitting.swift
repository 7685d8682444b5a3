import Statistics

extension SoftmaxRegression {
    /// How to fit.
    public struct Options: Hashable, Sendable {
        /// scikit-learn's C: the weight of a sample's loss relative to the penalty on weights; above 0. Smaller values
        /// give smoother models.
        public var inverseStrength: Double
        /// Maximum number of steps of the minimiser; at least 0.
        public var maximumIterations: Int
        /// Fitting stops once no component of the gradient of the mean loss is larger; at least 0.
        public var tolerance: Double
        /// If set, the rows are first resampled with replacement by this seed, so that repeats with different seeds
        /// differ.
        public var bootstrapSeed: UInt64?

        /// Usual options: C = 1, 200 iterations, tolerance 10⁻⁴, every row once.
        public init(
            inverseStrength: Double = 1,
            maximumIterations: Int = 200,
            tolerance: Double = 1e-4,
            bootstrapSeed: UInt64? = nil
        ) {
            self.inverseStrength = inverseStrength
            self.maximumIterations = maximumIterations
            self.tolerance = tolerance
            self.bootstrapSeed = bootstrapSeed
        }
    }

    /// A fitted model with the result of the minimisation.
    public struct Fit: Sendable {
        /// The model.
        public let model: SoftmaxRegression
        /// The value of C Σ log-loss + ½ ‖W‖² over the classes that occur in the data.
        public let loss: Double
        /// Number of steps of the minimiser.
        public let iterations: Int
        /// Whether the tolerance was reached.
        public let hasConverged: Bool
        /// Whether the fit is usable: it converged, or made at least one step and is more informative than the classes'
        /// shares of the data. A fit that reached the limit of steps before converging is usable; one that could not
        /// make the first step is not.
        public let isUsable: Bool
    }

    /// Fits a model: minimises C Σ log-loss + ½ ‖W‖², intercepts not penalised, by L-BFGS.
    ///
    /// This is the objective of scikit-learn's `LogisticRegression(C)` for three classes and more; for two, scikit-learn
    /// keeps one vector of weights, and its C is twice this one. Classes without a sample get weights 0 and the intercept
    /// −ln(1 + total weight), the others' intercepts summing to 0: their probability is low, but never 0.
    ///
    /// - Parameters:
    ///   - features: One row for each sample; at least one.
    ///   - labels: One index into `classes` for each row.
    ///   - classes: The classes of the model, whether or not they occur.
    ///   - sampleWeights: One weight of at least 0 for each row, not all 0; nil counts every row once.
    ///   - parent: A model of the same shape to start from, so that fewer iterations suffice.
    ///   - options: Options of the fit.
    /// - Returns: The fit; a fit that has not converged is no error.
    /// - Throws: `LearnerError` if shapes or values do not fit together.
    /// - Complexity: O(rows × features × classes) for each iteration.
    public static func fit(
        _ features: FeatureMatrix,
        labels: [Int],
        classes: [String],
        sampleWeights: [Double]? = nil,
        startingFrom parent: SoftmaxRegression? = nil,
        options: Options = Options()
    ) throws(LearnerError) -> Fit {
        try check(
            features,
            labels: labels,
            classes: classes,
            sampleWeights: sampleWeights,
            parent: parent,
            options: options
        )
        var features = features
        var labels = labels
        var sampleWeights = sampleWeights ?? []
        if let seed = options.bootstrapSeed {
            var generator = SplitMix64(seed: seed)
            let drawn = SeededSampling.bootstrapIndices(labels.count, of: labels.count, using: &generator)
            features = features.rows(at: drawn)
            labels = drawn.map { labels[$0] }
            if !sampleWeights.isEmpty { sampleWeights = drawn.map { sampleWeights[$0] } }
        }
        let present = presentClasses(labels, sampleWeights, classes.count)
        guard !present.isEmpty else { throw LearnerError(.value, "every sample weight is 0") }
        var position = [Int](repeating: 0, count: classes.count)
        for (index, original) in present.enumerated() { position[original] = index }
        let objective = SoftmaxObjective(
            features: features,
            labels: labels.map { position[$0] },
            sampleWeights: sampleWeights,
            classCount: present.count,
            inverseStrength: options.inverseStrength
        )
        let start = startingWeights(features.columnCount, present, parent)
        let minimizer = LimitedMemoryBFGS(
            maximumIterations: present.count == 1 ? 0 : options.maximumIterations,
            tolerance: options.tolerance
        )
        let result = minimizer.minimize(from: start) { objective.value(at: $0, gradient: &$1) }
        let weights = weightsOfAllClasses(
            result.point,
            featureCount: features.columnCount,
            present: present,
            classCount: classes.count,
            totalWeight: objective.totalWeight
        )
        guard weights.allSatisfy(\.isFinite) else { throw LearnerError(.value, "the features are too large to fit") }
        let hasConverged = present.count == 1 || result.hasConverged
        return Fit(
            model: SoftmaxRegression(unchecked: classes, featureCount: features.columnCount, weights: weights),
            loss: result.value / objective.penalty,
            iterations: result.iterations,
            hasConverged: hasConverged,
            isUsable: hasConverged || (result.iterations > 0 && result.value < objective.lossWithoutFeatures)
        )
    }

    /// Updates the model by a few steps on new samples, with old samples replayed beside them so that they are not
    /// forgotten.
    ///
    /// - Parameters:
    ///   - features: The new samples.
    ///   - labels: Their labels.
    ///   - replayed: Old samples and their labels, preferably about as many, drawn with a seed.
    ///   - options: Options of the fit; a few iterations suffice.
    /// - Returns: The updated model; this one is unchanged.
    /// - Throws: `LearnerError` if shapes or values do not fit together.
    public func updated(
        with features: FeatureMatrix,
        labels: [Int],
        replaying replayed: (features: FeatureMatrix, labels: [Int])? = nil,
        options: Options = Options(maximumIterations: 10)
    ) throws(LearnerError) -> Fit {
        var allFeatures = features
        var allLabels = labels
        if let replayed {
            allFeatures = try features.appending(replayed.features)
            allLabels += replayed.labels
        }
        return try Self.fit(allFeatures, labels: allLabels, classes: classes, startingFrom: self, options: options)
    }

    /// The classes with at least one row of weight above 0, in order.
    private static func presentClasses(_ labels: [Int], _ sampleWeights: [Double], _ classCount: Int) -> [Int] {
        var isPresent = [Bool](repeating: false, count: classCount)
        for row in labels.indices where sampleWeights.isEmpty || sampleWeights[row] > 0 {
            isPresent[labels[row]] = true
        }
        return isPresent.indices.filter { isPresent[$0] }
    }

    /// The parent's weights for the present classes; 0 without a parent or with a single present class.
    private static func startingWeights(
        _ featureCount: Int,
        _ present: [Int],
        _ parent: SoftmaxRegression?
    ) -> [Double] {
        var weights = [Double](repeating: 0, count: (featureCount + 1) * present.count)
        guard let parent, present.count > 1 else { return weights }
        for row in 0...featureCount {
            for (index, original) in present.enumerated() {
                weights[row * present.count + index] = parent.weights[row * parent.classes.count + original]
            }
        }
        return weights
    }

    /// The weights of all classes: the fitted ones, with the weights of absent classes inserted.
    private static func weightsOfAllClasses(
        _ fitted: [Double],
        featureCount: Int,
        present: [Int],
        classCount: Int,
        totalWeight: Double
    ) -> [Double] {
        var weights = [Double](repeating: 0, count: (featureCount + 1) * classCount)
        var center = 0.0
        for index in present.indices { center += fitted[featureCount * present.count + index] }
        center /= Double(present.count)
        let absent = -Reproducible.log1p(totalWeight)
        for index in 0..<classCount { weights[featureCount * classCount + index] = absent }
        for (index, original) in present.enumerated() {
            for row in 0..<featureCount { weights[row * classCount + original] = fitted[row * present.count + index] }
            weights[featureCount * classCount + original] = fitted[featureCount * present.count + index] - center
        }
        return weights
    }

    private static func check(
        _ features: FeatureMatrix,
        labels: [Int],
        classes: [String],
        sampleWeights: [Double]?,
        parent: SoftmaxRegression?,
        options: Options
    ) throws(LearnerError) {
        guard !classes.isEmpty, Set(classes).count == classes.count else {
            throw LearnerError(.shape, "expected at least one class and no class twice")
        }
        guard !labels.isEmpty, labels.count == features.rowCount else {
            throw LearnerError(
                .shape,
                "expected one label for each of \(features.rowCount) rows, found \(labels.count)"
            )
        }
        if let label = labels.first(where: { !classes.indices.contains($0) }) {
            throw LearnerError(.value, "expected labels in 0..<\(classes.count), found \(label)")
        }
        if let sampleWeights {
            guard sampleWeights.count == labels.count, sampleWeights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw LearnerError(.value, "expected one finite weight of at least 0 for each of \(labels.count) rows")
            }
        }
        if let parent, parent.classes != classes || parent.featureCount != features.columnCount {
            throw LearnerError(.shape, "the parent has other classes or another number of features")
        }
        guard options.inverseStrength > 0, options.inverseStrength.isFinite, options.maximumIterations >= 0,
            options.tolerance >= 0
        else {
            throw LearnerError(.value, "expected C above 0 and neither iterations nor tolerance below 0")
        }
    }
}
