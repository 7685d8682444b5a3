import Acquisition
import Events
import Flywheel
import JSON
import Labeling
import Testing
import Vocabulary

@Suite("Policies as records")
struct PolicyCodecTests {
    private func recoded<T: JSONCodable>(_ value: T) throws -> T {
        try JSONParser().withDocument(of: value.jsonBytes) { try T(json: $0) }
    }

    @Test("A labeling policy is read as it was written, whichever part of ageing it names")
    func ageing() throws {
        for every in [nil, 5_000] as [Int64?] {
            for by in [LabelingPolicy().ageingBy, 0.25] {
                let policy = LabelingPolicy(ageingEvery: every, ageingBy: by)
                #expect(try recoded(policy) == policy)
            }
        }
        #expect(!String(decoding: LabelingPolicy().jsonBytes, as: UTF8.self).contains("ageing"))
    }

    @Test("A policy from before there were batch policies means what it meant; a new one is written with all of it")
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
}
