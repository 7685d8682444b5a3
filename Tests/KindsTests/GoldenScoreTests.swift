import Foundation
import Kinds
import Testing
import Vocabulary

/// Scores that scikit-activeml, modAL and scipy compute from the same outputs and members; see
/// Golden/make_scores.py.
struct GoldenScores: Decodable {
    struct Output: Decodable {
        let probabilities: [Double]
        let logits: [Double]
        let leastConfidence: Double
        let margin: Double
        let entropy: Double
        let ratio: Double
        let entropyOfPower: Double
        let entropyOfLogits: Double
        let marginOfLogits: Double
    }

    struct Ensemble: Decodable {
        let members: [[Double]]
        let bald: Double
        let klDivergence: Double
        let consensusEntropy: Double
        let voteEntropy: Double
        let maxDisagreement: Double
        let variationRatio: Double
    }

    let temperature: Double
    let outputs: [Output]
    let ensembles: [Ensemble]

    static func read() throws -> GoldenScores {
        let folder = try #require(Bundle.module.resourceURL)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            GoldenScores.self,
            from: Data(contentsOf: folder.appending(path: "Golden/scores.json"))
        )
    }
}

@Suite struct GoldenScoreTests {
    private static func expect(_ score: Double, _ golden: Double, _ what: String, within tolerance: Double = 1e-12) {
        #expect(abs(score - golden) <= tolerance * max(1, abs(golden)), "\(what): \(score), the library says \(golden)")
    }

    @Test("Scores of an output equal those of the libraries, scaled to a maximum of 1")
    func outputs() throws {
        let golden = try GoldenScores.read()
        #expect(golden.outputs.count > 30)
        for output in golden.outputs {
            let classes = output.probabilities.count
            let distribution = try AcquisitionFunctionTests.output(output.probabilities)
            func score(_ function: AcquisitionFunction) -> Double { function.score(distribution, classes: classes) }
            let maximumEntropy = Foundation.log(Double(classes))
            Self.expect(score(.margin), output.margin, "margin")
            Self.expect(score(.ratio), output.ratio, "ratio")
            Self.expect(
                score(.leastConfidence) * (1 - 1 / Double(classes)),
                output.leastConfidence,
                "least confidence"
            )
            Self.expect(score(.entropy) * maximumEntropy, output.entropy, "entropy", within: 1e-6)

            let tempered = AcquisitionFunction.entropy.score(
                distribution,
                classes: classes,
                temperature: golden.temperature
            )
            Self.expect(tempered * maximumEntropy, output.entropyOfPower, "entropy at a temperature")
            let logits = ScoredPrediction(output: distribution, logits: output.logits)
            let hot = golden.temperature
            let entropy = AcquisitionFunction.entropy.score(logits, classes: classes, temperature: hot)
            Self.expect(entropy * maximumEntropy, output.entropyOfLogits, "entropy of logits")
            let margin = AcquisitionFunction.margin.score(logits, classes: classes, temperature: hot)
            Self.expect(margin, output.marginOfLogits, "margin of logits")
        }
    }

    @Test("Scores of an ensemble equal those of the libraries, divided by the maximum for so many members")
    func ensembles() throws {
        for golden in try GoldenScores.read().ensembles {
            let members = try #require(EnsembleOutput(golden.members))
            let classes = members.width
            let prediction = ScoredPrediction(
                output: try AcquisitionFunctionTests.output(members.consensus),
                members: members
            )
            func score(_ function: AcquisitionFunction) -> Double { function.score(prediction, classes: classes) }
            let maximumEntropy = Foundation.log(Double(min(classes, members.count)))
            Self.expect(score(.bald) * maximumEntropy, golden.bald, "BALD")
            // scikit-activeml clips probabilities at 1e-7.
            Self.expect(score(.klDivergence) * maximumEntropy, golden.klDivergence, "KL to consensus", within: 1e-5)
            Self.expect(
                score(.consensusEntropy) * Foundation.log(Double(classes)),
                golden.consensusEntropy,
                "consensus"
            )
            Self.expect(score(.voteEntropy) * maximumEntropy, golden.voteEntropy, "vote entropy")
            let maximumDivergence = Foundation.log(Double(members.count))
            Self.expect(score(.maxDisagreement) * maximumDivergence, golden.maxDisagreement, "max disagreement")
            Self.expect(score(.variationRatio), golden.variationRatio, "variation ratio")
        }
    }
}
