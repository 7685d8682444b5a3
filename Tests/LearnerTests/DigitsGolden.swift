import Foundation
import Learner
import Testing

/// The committed part of the optical digits, with scikit-learn's predictions; see Golden/make_digits_golden.py.
struct DigitsGolden {
    let training: FeatureMatrix
    let trainingLabels: [Int]
    let test: FeatureMatrix
    let testLabels: [Int]
    let testProbabilities: [Double]
    let loss: Double
    let classes = (0..<10).map { "\($0)" }

    init() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let text = try String(contentsOf: folder.appending(path: "Golden/digits.csv"), encoding: .utf8)
        var pixels: [String: [Double]] = [:]
        var labels: [String: [Int]] = [:]
        var probabilities: [Double] = []
        var loss = Double.nan
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ",")
            let numbers = try fields.dropFirst().map { try #require(Double($0)) }
            let kind = String(fields[0])
            if kind == "loss" {
                loss = numbers[0]
                continue
            }
            labels[kind, default: []].append(Int(numbers[0]))
            pixels[kind, default: []] += numbers[1...64].map { $0 / 16 }
            probabilities += numbers[65...]
        }
        training = try FeatureMatrix(values: try #require(pixels["train"]), columnCount: 64)
        trainingLabels = try #require(labels["train"])
        test = try FeatureMatrix(values: try #require(pixels["test"]), columnCount: 64)
        testLabels = try #require(labels["test"])
        testProbabilities = probabilities
        self.loss = loss
    }
}
