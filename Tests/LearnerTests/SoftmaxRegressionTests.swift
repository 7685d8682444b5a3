import Learner
import Statistics
import Testing

@Suite struct SoftmaxRegressionTests {
    @Test("The minimum equals scikit-learn's")
    func agreesWithScikitLearn() throws {
        let golden = try DigitsGolden()
        let options = SoftmaxRegression.Options(inverseStrength: 0.5, maximumIterations: 2_000, tolerance: 1e-7)
        let fit = try SoftmaxRegression.fit(
            golden.training,
            labels: golden.trainingLabels,
            classes: golden.classes,
            options: options
        )
        let (hasConverged, iterations) = (fit.hasConverged, fit.iterations)
        #expect(hasConverged && iterations < 500)
        #expect((fit.loss - golden.loss).magnitude < 1e-7 * golden.loss)
        let probabilities = fit.model.probabilities(of: golden.test)
        var worst = 0.0
        for (found, expected) in zip(probabilities, golden.testProbabilities) {
            worst = max(worst, (found - expected).magnitude)
        }
        #expect(worst < 1e-5)
        #expect(probabilities.count == golden.testProbabilities.count)
        #expect(fit.model.accuracy(on: golden.test, labels: golden.testLabels) >= 0.8)
    }

    @Test("Usual options come close to the minimum, and the same call returns the same bits")
    func usualOptions() throws {
        let golden = try DigitsGolden()
        var options = SoftmaxRegression.Options(inverseStrength: 0.5)
        let first = try SoftmaxRegression.fit(
            golden.training,
            labels: golden.trainingLabels,
            classes: golden.classes,
            options: options
        )
        let second = try SoftmaxRegression.fit(
            golden.training,
            labels: golden.trainingLabels,
            classes: golden.classes,
            options: options
        )
        #expect(first.model == second.model)
        let hasConverged = first.hasConverged
        #expect(hasConverged)
        #expect(first.loss < golden.loss * 1.001)
        options.maximumIterations = 0
        let unfitted = try SoftmaxRegression.fit(
            golden.training,
            labels: golden.trainingLabels,
            classes: golden.classes,
            options: options
        )
        #expect(unfitted.model.probabilities(of: golden.test.row(0)).allSatisfy { ($0 - 0.1).magnitude < 1e-15 })
    }

    @Test("A warm start needs fewer steps than a cold one")
    func warmStart() throws {
        let golden = try DigitsGolden()
        let early = Array(0..<120)
        let parent = try SoftmaxRegression.fit(
            golden.training.rows(at: early),
            labels: Array(golden.trainingLabels[..<120]),
            classes: golden.classes
        )
        let cold = try SoftmaxRegression.fit(golden.training, labels: golden.trainingLabels, classes: golden.classes)
        let warm = try SoftmaxRegression.fit(
            golden.training,
            labels: golden.trainingLabels,
            classes: golden.classes,
            startingFrom: parent.model
        )
        #expect(warm.iterations < cold.iterations)
        #expect((warm.loss - cold.loss).magnitude < 0.01 * cold.loss)
    }

    @Test("An update learns the new samples and does not forget the replayed ones")
    func update() throws {
        let golden = try DigitsGolden()
        let old = golden.trainingLabels.indices.filter { golden.trainingLabels[$0] < 8 }
        let new = golden.trainingLabels.indices.filter { golden.trainingLabels[$0] >= 8 }
        let oldLabels = old.map { golden.trainingLabels[$0] }
        let newLabels = new.map { golden.trainingLabels[$0] }
        let parent = try SoftmaxRegression.fit(
            golden.training.rows(at: old),
            labels: oldLabels,
            classes: golden.classes
        )
        let newRows = golden.training.rows(at: new)
        #expect(parent.model.accuracy(on: newRows, labels: newLabels) == 0)
        let updated = try parent.model.updated(
            with: newRows,
            labels: newLabels,
            replaying: (golden.training.rows(at: old), oldLabels)
        )
        #expect(updated.iterations <= 10)
        #expect(updated.model.accuracy(on: newRows, labels: newLabels) > 0.9)
        #expect(updated.model.accuracy(on: golden.training.rows(at: old), labels: oldLabels) > 0.9)
    }

    @Test("Different seeds draw different bootstrap samples, equal seeds the same")
    func seeds() throws {
        let golden = try DigitsGolden()
        let models = try [1, 2, 1].map { seed in
            try SoftmaxRegression.fit(
                golden.training,
                labels: golden.trainingLabels,
                classes: golden.classes,
                options: .init(maximumIterations: 20, bootstrapSeed: seed)
            ).model
        }
        #expect(models[0] != models[1])
        #expect(models[0] == models[2])
    }

    @Test("Classes without a sample get a low probability that is not 0", arguments: [1, 4])
    func absentClasses(present: Int) throws {
        let golden = try DigitsGolden()
        let rows = golden.trainingLabels.indices.filter { golden.trainingLabels[$0] < present }
        let labels = rows.map { golden.trainingLabels[$0] }
        let fit = try SoftmaxRegression.fit(golden.training.rows(at: rows), labels: labels, classes: golden.classes)
        let hasConverged = fit.hasConverged
        #expect(hasConverged)
        for row in 0..<golden.test.rowCount {
            let probabilities = fit.model.probabilities(of: golden.test.row(row))
            let sum = probabilities.reduce(0, +)
            #expect((sum - 1).magnitude < 1e-12)
            #expect(probabilities[present...].allSatisfy { $0 > 0 && $0 < 0.05 })
        }
        #expect(fit.model.accuracy(on: golden.training.rows(at: rows), labels: labels) > 0.95)
    }

    @Test("A row of weight 2 counts like two rows")
    func sampleWeights() throws {
        let golden = try DigitsGolden()
        let options = SoftmaxRegression.Options(maximumIterations: 1_000, tolerance: 1e-8)
        let doubled = Array(0..<60) + Array(0..<20)
        let weights = (0..<60).map { $0 < 20 ? 2.0 : 1.0 }
        let labels = Array(golden.trainingLabels[..<60])
        let repeated = try SoftmaxRegression.fit(
            golden.training.rows(at: doubled),
            labels: doubled.map { golden.trainingLabels[$0] },
            classes: golden.classes,
            options: options
        )
        let weighted = try SoftmaxRegression.fit(
            golden.training.rows(at: Array(0..<60)),
            labels: labels,
            classes: golden.classes,
            sampleWeights: weights,
            options: options
        )
        for (left, right) in zip(repeated.model.weights, weighted.model.weights) {
            #expect((left - right).magnitude < 1e-4)
        }
    }

    @Test("Invalid input is refused")
    func refusals() throws {
        let matrix = try FeatureMatrix(values: [1, 2, 3, 4], columnCount: 2)
        #expect(throws: LearnerError.self) { try FeatureMatrix(values: [1, 2, 3], columnCount: 2) }
        #expect(throws: LearnerError.self) { try FeatureMatrix(values: [1, .nan], columnCount: 2) }
        #expect(throws: LearnerError.self) { try FeatureMatrix(values: [], columnCount: 0) }
        #expect(throws: LearnerError.self) { try SoftmaxRegression.fit(matrix, labels: [0], classes: ["a"]) }
        #expect(throws: LearnerError.self) { try SoftmaxRegression.fit(matrix, labels: [0, 2], classes: ["a", "b"]) }
        #expect(throws: LearnerError.self) { try SoftmaxRegression.fit(matrix, labels: [0, 0], classes: ["a", "a"]) }
        #expect(throws: LearnerError.self) {
            try SoftmaxRegression.fit(matrix, labels: [0, 1], classes: ["a", "b"], sampleWeights: [0, 0])
        }
        #expect(throws: LearnerError.self) {
            try SoftmaxRegression.fit(matrix, labels: [0, 1], classes: ["a", "b"], options: .init(inverseStrength: 0))
        }
    }

    @Test("A fit that can make no step is not usable, and one that exhausts its iterations is")
    func usable() throws {
        var values: [Double] = []
        for row in 0..<30 { values += [Double(row % 3), Double(row % 2)] }
        let labels = (0..<30).map { $0 % 3 }
        let classes = ["a", "b", "c"]
        let plain = try FeatureMatrix(values: values, columnCount: 2)
        let short = SoftmaxRegression.Options(maximumIterations: 2)
        let stopped = try SoftmaxRegression.fit(plain, labels: labels, classes: classes, options: short)
        let (isUsable, hasConverged) = (stopped.isUsable, stopped.hasConverged)
        #expect(isUsable && !hasConverged)
        for far in [3.4e38, 1e200, 1e308] {
            values[0] = far
            values[3] = -far
            let matrix = try FeatureMatrix(values: values, columnCount: 2)
            do {
                let fit = try SoftmaxRegression.fit(matrix, labels: labels, classes: classes)
                let (isUsable, hasConverged) = (fit.isUsable, fit.hasConverged)
                #expect(!isUsable && !hasConverged, "\(far)")
            } catch {
                #expect(error.kind == .value)
            }
        }
    }
}
