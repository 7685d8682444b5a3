import Acquisition
import Strategies
internal import Vocabulary

extension AcquisitionPolicy {
    /// Sets a strategy by its name: `default`, or a score, the rule by which batches are composed, and the query rule
    /// of a cold start, as in `margin`, `margin+kmeans`, `margin+kmeans+herding_start`.
    ///
    /// - Throws: `BenchmarkError` that lists the existing names.
    mutating func setStrategy(_ name: String) throws {
        guard name != "default" else { return }
        let parts = name.split(separator: "+").map(String.init)
        guard let first = parts.first, let function = AcquisitionFunction(rawValue: first), !function.needsMembers,
            function != .provided
        else { throw Self.unknown(name) }
        self.function = function
        isDiverse = parts.count > 1
        batch.rule = .top
        batch.coldStart = .none
        // As published, without a cold-start rule.
        preselection = 10
        for part in parts.dropFirst() {
            if let rule = BatchRule(rawValue: part), batch.rule == .top {
                batch.rule = rule
            } else if part.hasSuffix("_start"), let start = ColdStart(rawValue: String(part.dropLast("_start".count))) {
                batch.coldStart = start
                preselection = AcquisitionPolicy().preselection
            } else {
                throw Self.unknown(name)
            }
        }
    }

    private static func unknown(_ name: String) -> BenchmarkError {
        let scores = AcquisitionFunction.allCases.filter { !$0.needsMembers && $0 != .provided }.map(\.rawValue)
        let rules = BatchRule.allCases.map(\.rawValue)
        let starts = ColdStart.allCases.filter { $0 != .none }.map { "\($0.rawValue)_start" }
        return BenchmarkError(
            """
            --strategy: expected default, or SCORE[+RULE][+START] of the scores \(scores.joined(separator: ", ")), the rules \
            \(rules.joined(separator: ", ")) and the starts \(starts.joined(separator: ", ")), found "\(name)"
            """
        )
    }

    /// Sets weights from a list as in `uncertainty=1,novelty=0.5`.
    mutating func setWeights(_ list: String) throws {
        for item in list.split(separator: ",") {
            let pair = item.split(separator: "=").map(String.init)
            guard pair.count == 2, let weight = Double(pair[1]), (0...16).contains(weight) else {
                throw BenchmarkError("--weights: expected PART=WEIGHT with a weight in 0...16, found \"\(item)\"")
            }
            switch pair[0] {
            case "uncertainty": batch.weights.uncertainty = weight
            case "value": batch.weights.value = weight
            case "freshness": batch.weights.freshness = weight
            case "novelty": batch.weights.novelty = weight
            case "density": batch.weights.density = weight
            default:
                throw BenchmarkError(
                    "--weights: expected uncertainty, value, freshness, novelty or density, found \"\(pair[0])\""
                )
            }
        }
    }
}
