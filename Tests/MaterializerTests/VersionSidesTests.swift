import Events
import PipelineTesting
import Storage
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import Materializer

/// Samples that would be in the training set and the test set of one version.
@Suite("No version with a sample on two sides is sealed, and verification finds an existing one")
struct VersionSidesTests {
    /// A log of one project, folded cut by cut as the materializer does.
    private struct Writer {
        let store = DatasetStore(objects: MemoryStore())
        var sides = VersionSides()
        var sequence: Int64 = 0
        var versionNumber = 0
        var counts: [Split: Int] = [:]
        var numbers: [String: Int64] = [:]
        var waiting = WaitingLabels.Project(firstOffset: 0)

        mutating func accept(_ sample: String, _ split: Split) {
            sequence += 1
            let consensus = ConsensusLabel(
                task: TaskID("t\(sequence)"),
                sample: Sample(id: SampleID(sample), embedding: [1, Float(sequence)]),
                purpose: split == .test ? .audit : .acquisition,
                label: .choice(ClassIndex(0)),
                confidence: Probability(clamping: 1),
                votes: [],
                predictedAt: StreamTime(milliseconds: sequence)
            )
            let fact = LabelFact(consensus: consensus, split: split, sequence: sequence, format: 2)
            let line = DatasetLine.bytes(fact, names: ["bee"])
            waiting.lines[split, default: []].append(.init(sequence: sequence, bytes: line))
            counts[split, default: 0] += 1
            numbers[sample] = sequence
        }

        mutating func change(_ sample: String, _ kind: LabelChangeKind, to split: Split) {
            sequence += 1
            let fact = LabelChange(
                kind: kind,
                sample: SampleID(sample),
                split: split,
                replaces: numbers[sample] ?? 0,
                sequence: sequence,
                votes: [],
                confidence: nil,
                reason: "left the window",
                by: "rollout.move",
                at: StreamTime(milliseconds: sequence)
            )
            waiting.changes.append(.init(fact: fact, names: nil, formerNames: nil))
            if case .moved(let from) = kind {
                counts[from, default: 0] -= 1
                counts[split, default: 0] += 1
            } else {
                counts[split, default: 0] -= 1
            }
            numbers[sample] = sequence
        }

        mutating func move(_ sample: String) { change(sample, .moved(from: .test), to: .training) }

        mutating func cut() throws -> SealedVersion {
            sequence += 1
            versionNumber += 1
            let cut = VersionCut(
                versionNumber: versionNumber,
                sequence: sequence,
                training: counts[.training] ?? 0,
                validation: counts[.validation] ?? 0,
                test: counts[.test] ?? 0,
                classes: ["bee"],
                format: 2
            )
            let sealer = VersionSealer(store: store, sides: sides)
            let version = try #require(try sealer.seal(Scenario.project, cut, waiting))
            waiting = WaitingLabels.Project(firstOffset: 0)
            return version
        }
    }

    /// A store with two versions, in the second of which a label has moved.
    private func moved() throws -> Writer {
        var writer = Writer()
        for number in 0..<8 { writer.accept("s\(number)", number % 2 == 0 ? .training : .test) }
        #expect(try writer.cut().semanticVersion == "1.0.0")
        writer.accept("new", .test)
        writer.move("s1")
        #expect(try writer.cut().semanticVersion == "2.0.0", "a version that withdraws a label is MAJOR")
        return writer
    }

    private func refusal(_ writer: Writer) -> String {
        var writer = writer
        return "\(#expect(throws: PermanentFailure.self) { try writer.cut() }?.reason ?? "")"
    }

    @Test(
        "After the first move a sample on a second side is refused by name, and the next version is not affected"
    )
    func refused() throws {
        var writer = try moved()
        var both = writer
        both.accept("s3", .training)
        both.accept("s2", .test)
        let text = refusal(both)
        for part in ["version 3 of project shapes", "s2 (training and test)", "s3 (training and test)"] {
            #expect(text.contains(part), "\(text)")
        }
        // If the parent is too large to be read, the check at sealing is omitted, and verification finds the samples.
        var large = both
        large.sides = VersionSides(byteLimit: 1)
        _ = try large.cut()
        #expect(try large.store.verify(Scenario.project).problems.count == 1)
        writer = try moved()
        // A moved sample is used for training, and does not return to the test set by itself.
        var back = writer
        back.accept("s1", .test)
        #expect(refusal(back).contains("s1 (training and test)"))
        var twice = writer
        twice.accept("odd", .test)
        twice.accept("odd", .training)
        #expect(refusal(twice).contains("odd (training and test)"))
        // A refused change leaves no trace: all valid changes are still accepted.
        writer.accept("s9", .training)
        writer.move("s3")
        #expect(try writer.cut().semanticVersion == "3.0.0")
        // A retracted sample may be added again, on any side.
        writer.change("s5", .retracted, to: .test)
        _ = try writer.cut()
        writer.accept("s5", .training)
        #expect(try writer.cut().semanticVersion == "4.1.0")
        writer.accept("s5", .validation)
        #expect(refusal(writer).contains("s5 (training and validation)"))
    }

    @Test("A restarted worker detects the same by reading the parent, once there is a move")
    func afterRestart() throws {
        var writer = try moved()
        writer.accept("s2", .test)
        writer.move("s3")
        let log = writer
        let sealer = VersionSealer(store: writer.store)
        let cut = VersionCut(
            versionNumber: 3,
            sequence: log.sequence + 1,
            training: log.counts[.training] ?? 0,
            validation: 0,
            test: log.counts[.test] ?? 0,
            classes: ["bee"],
            format: 2
        )
        let error = #expect(throws: PermanentFailure.self) { try sealer.seal(Scenario.project, cut, log.waiting) }
        #expect(error?.reason.contains("s2 (training and test)") == true)
    }

    @Test("Verification names a sample that is on two sides in every version that has it so, and in no other")
    func verified() throws {
        var writer = Writer()
        for number in 0..<4 { writer.accept("s\(number)", number % 2 == 0 ? .training : .test) }
        let clean = try writer.cut()
        // No label has moved yet, so only a check of the whole log finds the wrong entry.
        writer.accept("s0", .test)
        let mixed = try writer.cut()
        writer.accept("s4", .training)
        let still = try writer.cut()
        let found = try writer.store.verify(Scenario.project)
        #expect(found.versions == [clean.id, mixed.id, still.id])
        #expect(found.problems.map(\.version) == [mixed.id, still.id])
        for problem in found.problems {
            #expect(problem.text == "samples are in several splits: s0 (training and test)", "\(problem.text)")
        }
        #expect(try writer.store.verify(Scenario.project, id: clean.id) == [])
        #expect(try writer.store.verify(Scenario.project, id: still.id).count == 1)

        var moving = try moved()
        for number in [3, 5] {
            moving.move("s\(number)")
            _ = try moving.cut()
        }
        let verification = try moving.store.verify(Scenario.project)
        #expect(verification.problems.isEmpty && verification.versions.count == 4, "\(verification.problems)")
    }
}
