import Rollout
import Tables
import Testing
import Vocabulary

@Suite("An incumbent: a model that served before the project")
struct IncumbentTests {
    private static let command = Evidence.command(id: "c", by: "ada", reason: "served before")

    private func incumbent(_ version: String = "resnet-7") -> IncumbentModel {
        IncumbentModel(
            version: ModelVersion(version),
            artifact: ArtifactReference(uri: "s3://models/\(version)", size: nil, sha256: nil)
        )
    }

    @Test("The incumbent is the first champion, and the first trained model shadows it and must win")
    func challenged() throws {
        var state = RolloutState()
        let release = try state.register(incumbent: incumbent(), evidence: Self.command).get()
        #expect(release.cause == .registered && release.champion.version.rawValue == "resnet-7")
        #expect(release.champion.datasetVersionNumber == 0 && release.champion.artifact.sha256 == nil)
        #expect(release.evidence == Self.command)
        let shadow = state.register(model(1), policy: .init(), at: time(1))
        #expect(shadow?.cause == .shadow && shadow?.champion.version.rawValue == "resnet-7")
        for number in 0..<6 { state.pair("s\(number)", champion: false, challenger: true) }
        let early = state.promoteIfBetter(policy: unshadowed)
        #expect(early == nil)
        state.pair("s6", champion: false, challenger: true)
        let promoted = state.promoteIfBetter(policy: unshadowed)
        #expect(promoted?.cause == .promoted && promoted?.replaced?.rawValue == "resnet-7")
        let back = try state.rollBack(from: ModelVersion("v1"), evidence: Self.command).get()
        #expect(back.champion.version.rawValue == "resnet-7")
    }

    @Test("An incumbent is refused if there is a champion, and a repeated registration is a duplicate")
    func refused() throws {
        var state = RolloutState()
        _ = try state.register(incumbent: incumbent(), evidence: Self.command).get()
        let before = state.roles.value
        func code(_ version: String) -> EntryRejection.Code? {
            if case .failure(let error) = state.register(incumbent: incumbent(version), evidence: Self.command) {
                return error.refusal.code
            }
            return nil
        }
        #expect(code("resnet-7") == .duplicate)
        #expect(code("resnet-8") == .championExists)
        #expect(state.roles.value == before)
    }

    @Test("Unmet requirements for the first model are named, and there are none without a policy")
    func first() {
        #expect(FirstModelPolicy().lack(trainingLabels: 0, testLabels: 0, score: nil) == nil)
        let policy = FirstModelPolicy(trainingLabels: 10, testLabels: 5, score: 0.75)
        #expect(policy.lack(trainingLabels: 10, testLabels: 5, score: 0.75) == nil)
        let all = policy.lack(trainingLabels: 9, testLabels: 4, score: 0.5)
        #expect(all == "9 of 10 training labels, 4 of 5 test labels, a score of 0.5 where 0.75 is needed")
        #expect(policy.lack(trainingLabels: 10, testLabels: 5, score: nil) == "no score")
    }
}
