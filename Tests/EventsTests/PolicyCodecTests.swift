import Acquisition
import Events
import Flywheel
import Foundation
import JSON
import Labeling
import Strategies
import Testing
import Vocabulary

@Suite("Policies as records")
struct PolicyCodecTests {
    private func recoded<T: JSONCodable>(_ value: T) throws -> T {
        try JSONParser().withDocument(of: value.jsonBytes) { try T(json: $0) }
    }

    @Test("A labeling policy is read as it was written, whichever of its ageing members are set")
    func ageing() throws {
        for every in [nil, 5_000] as [Int64?] {
            for by in [LabelingPolicy().ageingBy, 0.25] {
                let policy = LabelingPolicy(ageingEvery: every, ageingBy: by)
                #expect(try recoded(policy) == policy)
            }
        }
        #expect(!String(decoding: LabelingPolicy().jsonBytes, as: UTF8.self).contains("ageing"))
    }

    @Test("A policy without a batch policy keeps its old meaning; a new policy is written with its batch policy")
    func withoutBatch() throws {
        let policy = AcquisitionPolicy()
        #expect(try recoded(policy) == policy)
        let text = String(decoding: policy.jsonBytes, as: UTF8.self)
        let batch = String(decoding: policy.batch.jsonBytes, as: UTF8.self)
        let old = text.replacing("\"batch\":\(batch),", with: "").replacing(",\"batch\":\(batch)", with: "")
        #expect(old.count < text.count)
        let read = try JSONParser().withDocument(of: Array(old.utf8)) { try AcquisitionPolicy(json: $0) }
        #expect(read.batch.rule == .kmeans && read.batch.coldStart == .none && read.batch.duplicateDistance == 0)
        #expect(read.strategyName == "margin+kmeans")
    }

    /// Keys that revisions of older builds lack, each with the value that its absence means.
    @Test(
        "A newer key that a revision lacks has a frozen value",
        arguments: [
            ("acquisition", "exploration_share", "0.0"), ("acquisition", "temperature", "1.0"),
            ("rollout", "minimum_shadow", "10"),
        ]
    )
    func absent(section: String, key: String, frozen: String) throws {
        let golden = String(decoding: try SchemaFiles.bytes("project/golden/edge.json"), as: UTF8.self)
        let start = try #require(golden.range(of: "\"\(section)\":{"))
        let member = try #require(golden.range(of: "\"\(key)\":", range: start.upperBound..<golden.endIndex))
        let end = try #require(golden[member.upperBound...].firstIndex { $0 == "," || $0 == "}" })
        var (old, expected) = (golden, golden)
        let after = golden[end] == "," ? golden.index(after: end) : end
        old.removeSubrange(member.lowerBound..<after)
        if golden[end] == "}" { old = old.replacing(",}", with: "}") }
        expected.replaceSubrange(member.upperBound..<end, with: frozen)
        #expect(try recoded(old) == recoded(expected))
        #expect(try recoded(golden) + "\n" == golden)
    }

    private func recoded(_ text: String) throws -> String {
        try JSONParser().withDocument(of: Array(text.utf8)) {
            String(decoding: try ProjectConfiguration(json: $0).jsonBytes, as: UTF8.self)
        }
    }

    private func read<T: JSONCodable>(_ text: String, as type: T.Type = T.self) throws -> T {
        try JSONParser().withDocument(of: Array(text.utf8)) { try T(json: $0) }
    }

    @Test("Omitted members of a batch, its weights, ageing and triggers have their frozen values")
    func frozen() throws {
        let weights = UtilityWeights(uncertainty: 1, value: 0, freshness: 0, novelty: 0, density: 0)
        let batch = try read("{\"weights\":{}}", as: BatchPolicy.self)
        let frozen = BatchPolicy(
            rule: .kmeans,
            coldStart: .herding,
            handover: 8,
            weights: weights,
            classValues: [],
            halfLife: 3_600_000,
            sharpness: 1,
            duplicateDistance: 0.05,
            memory: 1_000
        )
        #expect(batch == frozen)
        #expect(try read("{\"weights\":null,\"class_values\":null,\"memory\":null}", as: BatchPolicy.self) == frozen)
        let text = String(decoding: AcquisitionPolicy(triggerShare: 0.2).jsonBytes, as: UTF8.self)
        #expect(!text.contains("trigger_share"))
        #expect(try read(text, as: AcquisitionPolicy.self).triggerShare == 0.2)
        let labeling =
            "{\"minimum_votes\":1,\"maximum_votes\":1,\"confidence\":1,\"lifetime_ms\":1,\"maximum_skips\":1}"
        #expect(try read(labeling, as: LabelingPolicy.self).ageingBy == 0.1)
    }

    @Test(
        "A missing or wrongly typed member of a revision is reported by its path",
        arguments: [
            ("{}", "minimum_votes: expected an integer in 1...100, found nothing"),
            ("{\"minimum_votes\":null}", "minimum_votes: expected an integer, found null"),
            ("{\"minimum_votes\":0}", "minimum_votes: expected an integer in 1...100, found 0"),
            ("{\"minimum_votes\":3,\"maximum_votes\":2}", "maximum_votes: expected an integer in 3...100, found 2"),
            (
                "{\"minimum_votes\":1,\"maximum_votes\":1,\"confidence\":0.9}",
                "lifetime_ms: expected milliseconds in 1...315360000000, found nothing"
            ),
        ]
    )
    func locations(text: String, expected: String) {
        let error = #expect(throws: JSONError.self) { try read(text, as: LabelingPolicy.self) }
        #expect(error.map { "\($0.path): \($0.reason)" } == expected)
    }
}
