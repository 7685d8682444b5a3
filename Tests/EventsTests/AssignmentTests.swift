import Events
import Foundation
import JSON
import Rollout
import Testing
import Vocabulary

@Suite("The assignment of units to versions of a release")
struct AssignmentTests {
    private static let artifact = ArtifactReference(uri: "s3://m", size: 1, sha256: String(repeating: "0", count: 64))

    private func release(_ json: JSONObject) throws -> ModelRelease {
        let canary = try json.optionalObject("canary").map { object in
            Staging.Canary(
                version: ModelVersion(try object.string("version")),
                artifact: Self.artifact,
                share: try object.optionalDouble("share"),
                ring: try object.optionalObject("ring").map {
                    RolloutRing(key: try $0.string("key"), value: try $0.string("value"))
                },
                step: try object.int("step")
            )
        }
        let holdback = try json.optionalObject("holdback").map {
            Staging.Holdback(
                version: ModelVersion(try $0.string("version")),
                artifact: Self.artifact,
                share: try $0.double("share")
            )
        }
        let state = try json.optionalString("state").map { try #require(ReleaseState(rawValue: $0)) }
        let unit = try json.optionalString("unit").flatMap(AssignmentUnit.init(rawValue:)) ?? .user
        return ModelRelease(
            cause: .canary,
            champion: ReleasedModel(
                version: ModelVersion(try json.object("champion").string("version")),
                artifact: Self.artifact,
                datasetVersionNumber: 1,
                newestSampleAt: StreamTime(milliseconds: 0)
            ),
            challenger: nil,
            replaced: nil,
            quarantined: [],
            evidence: .none,
            staging: state.map { Staging(state: $0, canary: canary, holdback: holdback, unit: unit) }
        )
    }

    @Test("Assignments agree with the test vectors of the example in Python")
    func vectors() throws {
        let root = SchemaFiles.root.deletingLastPathComponent()
        let bytes = Array(try Data(contentsOf: root.appendingPathComponent("docs/examples/assignment.json")))
        var count = 0
        try JSONParser().withDocument(of: bytes) { document in
            for element in try document.array() {
                let vector = try element.object()
                let (json, unit) = (try vector.object("release"), try vector.string("unit"))
                let project = ProjectID(try json.string("project"))
                var entries: [SampleMetadata.Entry] = []
                if let metadata = try vector.optionalObject("metadata") {
                    for member in metadata {
                        entries.append(.init(key: String(member.name), value: try member.value.string()))
                    }
                }
                let release = try release(json)
                let metadata = try #require(SampleMetadata(entries))
                let version = release.version(for: unit, of: project, metadata: metadata)
                #expect(version.rawValue == (try vector.string("version")), "\(unit)")
                // The release is read back as it was written, and its content is sufficient for the assignment.
                let again = try JSONParser().withDocument(of: release.jsonBytes) { try ModelRelease(json: $0) }
                #expect(again == release && again.version(for: unit, of: project, metadata: metadata) == version)
                count += 1
            }
        }
        #expect(count >= 30)
    }

    @Test("A growing share keeps the units that it has, and the hold-back takes units from the other end")
    func nested() {
        let project = ProjectID("digits")
        func serves(_ share: Double, _ user: Int) -> ModelVersion {
            let staging = Staging(
                state: .canary,
                canary: .init(version: ModelVersion("v3"), artifact: Self.artifact, share: share, step: 1),
                holdback: .init(version: ModelVersion("v1"), artifact: Self.artifact, share: 0.1)
            )
            let model = ReleasedModel(
                version: ModelVersion("v2"),
                artifact: Self.artifact,
                datasetVersionNumber: 1,
                newestSampleAt: StreamTime(milliseconds: 0)
            )
            let release = ModelRelease(
                cause: .canary,
                champion: model,
                challenger: nil,
                replaced: nil,
                quarantined: [],
                evidence: .none,
                staging: staging
            )
            return release.version(for: "u-\(user)", of: project)
        }
        var counts: [ModelVersion: Int] = [:]
        for user in 0..<4_000 {
            let (early, late, all) = (serves(0.05, user), serves(0.5, user), serves(1, user))
            if early.rawValue == "v3" { #expect(late.rawValue == "v3") }
            if late.rawValue == "v3" { #expect(all.rawValue == "v3") }
            #expect((early.rawValue == "v1") == (all.rawValue == "v1") && all.rawValue != "v2")
            counts[early, default: 0] += 1
        }
        #expect((140...270).contains(counts[ModelVersion("v3")] ?? 0))
        #expect((330...470).contains(counts[ModelVersion("v1")] ?? 0))
    }
}
