import Demo
import Learner
import Rollout
import Statistics
import Vocabulary

/// Real digits as matrices, for training and for audit.
struct Digits {
    let training: FeatureMatrix
    let trainingLabels: [Int]
    let audit: FeatureMatrix
    let auditLabels: [Int]
    /// Digits used for neither training nor audit.
    let heldOut: FeatureMatrix
    let heldOutLabels: [Int]

    static let classes = DigitsScenario.classes

    init(seed: UInt64, training count: Int, audit: Int) throws {
        var images = try DigitsScenario.load()
        var generator = SplitMix64(seed: seed)
        SeededSampling.shuffle(&images, using: &generator)
        func matrix(_ images: ArraySlice<DigitImage>) throws -> FeatureMatrix {
            try FeatureMatrix(values: images.flatMap { $0.features.map(Double.init) }, columnCount: 64)
        }
        training = try matrix(images[..<count])
        trainingLabels = images[..<count].map(\.digit)
        self.audit = try matrix(images[count..<count + audit])
        auditLabels = images[count..<count + audit].map(\.digit)
        heldOut = try matrix(images[(count + audit)...])
        heldOutLabels = images[(count + audit)...].map(\.digit)
    }

    /// A model trained on the first `rows` rows, drawn with replacement if `seed` is not nil.
    func model(rows: Int, bootstrap seed: UInt64? = nil) throws -> SoftmaxRegression {
        let options = SoftmaxRegression.Options(maximumIterations: 25, bootstrapSeed: seed)
        return try SoftmaxRegression.fit(
            training.rows(at: Array(0..<rows)),
            labels: Array(trainingLabels[..<rows]),
            classes: Self.classes,
            options: options
        ).model
    }

    /// Class that a model predicts for each row.
    func predictions(of model: SoftmaxRegression, on matrix: FeatureMatrix) -> [Int] {
        (0..<matrix.rowCount).map { model.predict(matrix.row($0)) }
    }
}

func model(_ version: String, _ versionNumber: Int = 1) -> ReleasedModel {
    ReleasedModel(
        version: ModelVersion(version),
        artifact: ArtifactReference(uri: "file:///\(version)", size: 1, sha256: version),
        datasetVersionNumber: versionNumber,
        newestSampleAt: StreamTime(milliseconds: 0)
    )
}

/// Number of audit labels until the challenger was promoted; nil if it never was.
///
/// Labels arrive in a random order, before or after the predictions.
func judge(champion: [Int], challenger: [Int], labels: [Int], policy: RolloutPolicy, seed: UInt64) -> Int? {
    var rollout = RolloutState()
    var generator = SplitMix64(seed: seed)
    let time = StreamTime(milliseconds: 1_000)
    _ = rollout.register(model("v1", 1), policy: .init(), at: time)
    _ = rollout.register(model("v2", 2), policy: .init(), at: time)
    for (count, index) in SeededSampling.permutation(of: labels.count, using: &generator).enumerated() {
        let sample = SampleID("s\(index)")
        let draw = Double(index) / Double(labels.count)
        let isLabelFirst = generator.next(below: 2) == 0
        if isLabelFirst { rollout.labelled(sample, .choice(ClassIndex(labels[index])), at: time) }
        rollout.predicted(
            .choice(ClassIndex(champion[index])),
            of: sample,
            by: ModelVersion("v1"),
            draw: draw,
            isLive: true,
            at: time
        )
        rollout.predicted(
            .choice(ClassIndex(challenger[index])),
            of: sample,
            by: ModelVersion("v2"),
            draw: draw,
            isLive: true,
            at: time
        )
        if !isLabelFirst { rollout.labelled(sample, .choice(ClassIndex(labels[index])), at: time) }
        if rollout.promoteIfBetter(policy: policy) != nil { return count + 1 }
    }
    return nil
}
