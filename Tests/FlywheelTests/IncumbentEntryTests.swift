import Datasets
import Flywheel
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@Suite("Entries about the first model")
struct IncumbentEntryTests {
    private static let artifact = ArtifactReference(uri: "s3://m/x", size: 7, sha256: String(repeating: "a", count: 64))

    private struct Stand {
        var state = ProjectState(project: ProjectID("pets"))
        var now: Int64 = 1

        init(first: FirstModelPolicy = FirstModelPolicy(), prefix: String = "v") {
            let usual = configuration()
            var (rollout, training) = (usual.rollout, usual.training)
            (rollout.first, training.versionPrefix, training.repeats) = (first, prefix, 1)
            training.trials = [Hyperparameters()]
            _ = apply(
                .configured(
                    ProjectConfiguration(
                        project: usual.project,
                        revision: 1,
                        partition: 0,
                        schema: usual.schema,
                        training: training,
                        rollout: rollout
                    )
                )
            )
        }

        mutating func apply(_ body: JournalEntry.Body) -> [Decision.Body] {
            now += 1
            let entry = JournalEntry(project: ProjectID("pets"), body: body)
            return state.apply(entry, appendedAt: StreamTime(milliseconds: now)).map(\.body)
        }

        mutating func register(_ version: String, id: String = "c") -> [Decision.Body] {
            let model = IncumbentModel(
                version: ModelVersion(version),
                artifact: artifact,
                metrics: [ModelMetric(name: "accuracy", value: 0.9)]
            )
            return apply(.command(Command(id: id, action: .register(model), by: "ada", reason: "r")))
        }

        /// Seals a version with the given numbers of labels and ends its study with a model.
        mutating func train(_ versionNumber: Int, training: Int, test: Int, score: Double?) -> [Decision.Body] {
            state.datasets.pending[versionNumber] = PendingCut(
                cutAt: StreamTime(milliseconds: now),
                newestSampleAt: StreamTime(milliseconds: now)
            )
            let version = SealedVersion(
                id: DatasetVersionID(String(repeating: "d", count: 64)),
                versionNumber: versionNumber,
                parent: nil,
                semanticVersion: "1.0.0",
                manifest: artifact,
                training: training,
                validation: 0,
                test: test
            )
            var bodies = apply(.versionSealed(version))
            guard case .training(let request)? = bodies.first else { return bodies }
            bodies += apply(
                .trainingResult(
                    TrainingResult(
                        request: request.id,
                        trial: 0,
                        repetition: 0,
                        outcome: .finished(artifact: artifact, score: score, itemsScored: test, predictions: nil)
                    )
                )
            )
            return bodies
        }
    }

    private func releases(_ bodies: [Decision.Body]) -> [String] {
        bodies.compactMap {
            guard case .release(let release) = $0 else { return nil }
            return "\(release.cause) \(release.champion.version) \(release.challenger?.version.rawValue ?? "-")"
        }
    }

    private func refusals(_ bodies: [Decision.Body]) -> [EntryRejection.Code] {
        bodies.compactMap { if case .refused(let refusal) = $0 { refusal.code } else { nil } }
    }

    private func requestedVersions(_ bodies: [Decision.Body]) -> [String] {
        bodies.compactMap { if case .training(let request) = $0 { request.modelVersion.rawValue } else { nil } }
    }

    @Test("An incumbent with metrics is champion before any training, and the first trained model shadows it")
    func incumbent() {
        var stand = Stand()
        let bodies = stand.register("resnet-7")
        #expect(releases(bodies) == ["registered resnet-7 -"])
        guard case .release(let release)? = bodies.first else { return }
        let metrics = [ModelMetric(name: "accuracy", value: 0.9)]
        #expect(release.evidence == .command(id: "c", by: "ada", reason: "r", metrics: metrics))
        #expect(refusals(stand.register("resnet-7")) == [.duplicate])
        #expect(refusals(stand.register("resnet-7", id: "c2")) == [.duplicate])
        #expect(refusals(stand.register("resnet-8", id: "c3")) == [.championExists])
        #expect(releases(stand.train(1, training: 9, test: 3, score: 0.9)) == ["shadow resnet-7 v1"])
    }

    @Test("Without an incumbent the first model is live at once, or once it meets the conditions of rollout.first")
    func first() {
        var stand = Stand()
        #expect(releases(stand.train(1, training: 9, test: 0, score: nil)) == ["first v1 -"])
        stand = Stand(first: FirstModelPolicy(trainingLabels: 10, testLabels: 5, score: 0.75))
        for (number, (training, test, score)) in [(9, 9, 0.9), (19, 4, 0.9), (29, 9, nil), (39, 9, 0.5)].enumerated() {
            let bodies = stand.train(number + 1, training: training, test: test, score: score)
            #expect(releases(bodies) == [])
            let reported = bodies.contains {
                if case .notice(let notice) = $0 { notice.kind == .firstModelWaits } else { false }
            }
            #expect(reported)
        }
        #expect(releases(stand.train(5, training: 49, test: 9, score: 0.8)) == ["first v5 -"])
        // From now on there is a champion to compare with.
        #expect(releases(stand.train(6, training: 59, test: 0, score: 0.1)) == ["shadow v5 v6"])
    }

    @Test("A name that Flywheel gave to a model cannot be registered")
    func ours() {
        var stand = Stand(first: FirstModelPolicy(testLabels: 5))
        _ = stand.train(1, training: 9, test: 0, score: nil)
        #expect(refusals(stand.register("v1")) == [.versionTaken])
        #expect(releases(stand.register("v2", id: "c2")) == ["registered v2 -"])
        // A trained model gets another name than the registered one.
        let bodies = stand.train(2, training: 20, test: 9, score: 0.9)
        #expect(requestedVersions(bodies) == ["v2-2"])
        #expect(releases(bodies) == ["shadow v2 v2-2"])
    }

    @Test("A project may set the prefix of its models' names")
    func prefix() {
        var stand = Stand(prefix: "pets/fw-")
        #expect(requestedVersions(stand.train(1, training: 9, test: 0, score: nil)) == ["pets/fw-1"])
    }

    @Test("Traffic of unregistered versions is counted within a bound, and trained models do not get their names")
    func unregistered() {
        var stand = Stand()
        func tally(_ version: String, _ predictions: Int64 = 10, isUnregistered: Bool = true) -> Tally {
            Tally(
                modelVersion: ModelVersion(version),
                role: .champion,
                predictions: predictions,
                feedback: 1,
                negative: 0,
                forwarded: 0,
                isUnregistered: isUnregistered
            )
        }
        _ = stand.apply(.tally([tally("v1"), tally("v1", 5), tally("theirs", .max)]))
        #expect(stand.state.unregistered[ModelVersion("v1")]?.predictions == 15)
        #expect(stand.state.unregistered[ModelVersion("v1")]?.feedback == 2)
        #expect(stand.state.unregistered[ModelVersion("theirs")]?.predictions == 1 << 53)
        #expect(requestedVersions(stand.train(1, training: 9, test: 0, score: nil)) == ["v1-2"])
        // Tallies in entries of earlier builds do not state that a version is unregistered.
        _ = stand.apply(.tally([tally("others", isUnregistered: false)]))
        #expect(stand.state.unregistered[ModelVersion("others")] == nil)
        for number in 0..<100 { _ = stand.apply(.tally([tally("m\(number)")])) }
        #expect(stand.state.unregistered.count == 32)
        #expect(stand.state.unregistered[ModelVersion("m99")] != nil)
        #expect(stand.state.unregistered[ModelVersion("theirs")] == nil)
        _ = stand.apply(.tally([tally("m99", isUnregistered: false)]))
        #expect(stand.state.unregistered[ModelVersion("m99")] == nil)
    }
}
