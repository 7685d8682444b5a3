import Acquisition
import Statistics
import Strategies
import Testing
import Vocabulary

@Suite("Conditions of triggers")
struct TriggerTests {
    private let classes = 4

    private func output(_ probabilities: [Double], remainder: Double = 0) throws -> ClassDistribution {
        let entries = probabilities.enumerated().map {
            ClassDistribution.Entry(label: ClassIndex($0.offset), probability: $0.element)
        }
        return try #require(ClassDistribution(entries, remainder: remainder))
    }

    private func judge(
        _ condition: TriggerCondition,
        _ output: ClassDistribution?,
        sample: String = "s",
        score: Double = 0.5,
        version: String = "v1",
        role: ModelRole? = .champion,
        metadata: [String: String] = [:],
        name: String = "t",
        _ learn: (inout TriggerFacts) -> Void = { _ in }
    ) -> TriggerVerdict {
        let output = output.map(Output.choice)
        var facts = TriggerFacts(output, score: score, role: role, classes: classes)
        learn(&facts)
        let entries = metadata.map { SampleMetadata.Entry(key: $0.key, value: $0.value) }
        return TriggerProgram(Trigger(name: name, condition: condition), project: ProjectID("p")).judge(
            facts,
            sample: Sample(id: SampleID(sample), metadata: SampleMetadata(entries) ?? .none),
            output: output,
            version: ModelVersion(version),
            classes: classes
        )
    }

    @Test("Only the most likely class has a confidence, and the ends of its bounds are excluded")
    func confidence() throws {
        let output = try output([0.5, 0.3, 0.2])
        let low = try #require(TriggerBounds(below: 0.6))
        #expect(judge(.confidence(nil, low), output) == .holds)
        #expect(judge(.confidence(ClassIndex(0), low), output) == .holds)
        #expect(judge(.confidence(ClassIndex(1), low), output) == .fails)
        let (under, over) = (try #require(TriggerBounds(below: 0.5)), try #require(TriggerBounds(above: 0.5)))
        #expect(judge(.confidence(nil, under), output) == .fails)
        #expect(judge(.confidence(nil, over), output) == .fails)
        let around = try #require(TriggerBounds(above: 0.49, below: 0.51))
        #expect(judge(.confidence(nil, around), output) == .holds)
        #expect(judge(.confidence(nil, low), nil) == .fails)
    }

    @Test("The probability of an unnamed class is its equal part of the remainder")
    func probability() throws {
        let output = try output([0.6, 0.2], remainder: 0.2)
        let tenth = try #require(TriggerBounds(above: 0.09, below: 0.11))
        #expect(judge(.probability(ClassIndex(2), tenth), output) == .holds)
        #expect(judge(.probability(ClassIndex(1), tenth), output) == .fails)
        let fifth = try #require(TriggerBounds(above: 0.19, below: 0.21))
        #expect(judge(.probability(ClassIndex(1), fifth), output) == .holds)
        #expect(judge(.probability(ClassIndex(1), fifth), nil) == .fails)
    }

    @Test("Margin, score, role and version are compared")
    func others() throws {
        let output = try output([0.5, 0.3, 0.2])
        let margin = try #require(TriggerBounds(above: 0.19, below: 0.21))
        #expect(judge(.margin(margin), output) == .holds)
        let clear = try self.output([0.9, 0.1])
        #expect(judge(.margin(margin), clear) == .fails)
        let score = try #require(TriggerBounds(above: 0.4))
        #expect(judge(.score(score), output, score: 0.5) == .holds)
        #expect(judge(.score(score), output, score: 0.4) == .fails)
        #expect(judge(.score(score), nil, score: 0.5) == .fails)
        #expect(judge(.role(.challenger), output, role: .challenger) == .holds)
        #expect(judge(.role(.challenger), output) == .fails)
        #expect(judge(.role(.champion), nil, role: nil) == .fails)
        #expect(judge(.version(ModelVersion("v2")), output, version: "v2") == .holds)
        #expect(judge(.version(ModelVersion("v2")), output) == .fails)
    }

    @Test("A slice matches any of the listed values, and a sample without the key is in no slice")
    func metadata() throws {
        let condition = TriggerCondition.metadata(key: "source", values: ["a", "b"])
        #expect(judge(condition, nil, metadata: ["source": "b"]) == .holds)
        #expect(judge(condition, nil, metadata: ["source": "c"]) == .fails)
        #expect(judge(condition, nil, metadata: ["other": "a"]) == .fails)
        #expect(judge(.not(condition), nil) == .holds)
    }

    @Test("A sample's draw is equal for all models, differs by trigger, and matches the requested share")
    func sampling() throws {
        let output = try output([0.5, 0.5])
        var (both, first, second) = (0, 0, 0)
        for number in 0..<10_000 {
            let isSampled = judge(.sample(0.1), output, sample: "s\(number)") == .holds
            let other = judge(.sample(0.1), nil, sample: "s\(number)", version: "v9", role: nil) == .holds
            let otherTrigger = judge(.sample(0.1), output, sample: "s\(number)", name: "u") == .holds
            #expect(isSampled == other)
            if judge(.sample(0.05), output, sample: "s\(number)") == .holds { #expect(isSampled) }
            first += isSampled ? 1 : 0
            second += otherTrigger ? 1 : 0
            both += isSampled && otherTrigger ? 1 : 0
        }
        #expect((900...1_100).contains(first) && (900...1_100).contains(second) && (60...140).contains(both))
        #expect(judge(.sample(0), output) == .fails)
        #expect(judge(.sample(1), output) == .holds)
    }

    @Test("A condition on unknown facts is undecided, unless its value does not depend on them")
    func undecided() throws {
        let output = try output([0.9, 0.1])
        #expect(judge(.disagreement, output) == .undecided)
        #expect(judge(.disagreement, nil) == .fails)
        #expect(judge(.overridden, output) { $0.isOverridden = true } == .holds)
        #expect(judge(.overridden, output) { $0.isOverridden = false } == .fails)
        #expect(judge(.not(.overridden), output) == .undecided)
        #expect(judge(.not(.disagreement), output) { $0.disagrees = false } == .holds)
        #expect(judge(.all([.disagreement, .sample(0)]), output) == .fails)
        #expect(judge(.any([.disagreement, .sample(1)]), output) == .holds)
        #expect(judge(.all([.disagreement, .overridden]), output) { $0.disagrees = true } == .undecided)
    }

    /// Reference verdict on a condition, by recursion over the tree; nil for undecided.
    private func reference(_ condition: TriggerCondition, _ facts: TriggerFacts) -> Bool? {
        switch condition {
        case .all(let parts):
            let known = parts.map { reference($0, facts) }
            return known.contains(false) ? false : (known.contains(nil) ? nil : true)
        case .any(let parts):
            let known = parts.map { reference($0, facts) }
            return known.contains(true) ? true : (known.contains(nil) ? nil : false)
        case .not(let part): return reference(part, facts).map { !$0 }
        case .role(let role): return facts.role == role
        case .disagreement: return facts.disagrees
        case .overridden: return facts.isOverridden
        default: return nil
        }
    }

    private func tree(_ generator: inout SplitMix64, depth: Int) -> TriggerCondition {
        switch generator.next(below: depth > 1 ? 7 : 4) {
        case 0: .role(.champion)
        case 1: .role(.challenger)
        case 2: .disagreement
        case 3: .overridden
        case 4: .not(tree(&generator, depth: depth - 1))
        case 5: .all((0...generator.next(below: 2)).map { _ in tree(&generator, depth: depth - 1) })
        default: .any((0...generator.next(below: 2)).map { _ in tree(&generator, depth: depth - 1) })
        }
    }

    @Test("Nested conditions are judged according to their tree", arguments: 1...8)
    func nesting(seed: Int) throws {
        let output = try Output.choice(output([0.9, 0.1]))
        var generator = SplitMix64(seed: UInt64(seed))
        var seen = Set<TriggerVerdict>()
        for _ in 0..<500 {
            let condition = tree(&generator, depth: 5)
            guard condition.count <= TriggerCondition.nodeLimit else { continue }
            var facts = TriggerFacts(output, score: 0.5, role: .champion, classes: classes)
            facts.disagrees = [nil, true, false][generator.next(below: 3)]
            facts.isOverridden = [nil, true, false][generator.next(below: 3)]
            let expected: TriggerVerdict =
                switch reference(condition, facts) {
                case true?: .holds
                case false?: .fails
                case nil: .undecided
                }
            let verdict = judge(condition, output.distribution) {
                ($0.disagrees, $0.isOverridden) = (facts.disagrees, facts.isOverridden)
            }
            #expect(verdict == expected, "\(condition)")
            seen.insert(verdict)
        }
        #expect(seen.count == 3)
    }

    @Test("The maximum number of conditions is accepted")
    func largest() throws {
        let parts = (0..<(TriggerCondition.nodeLimit - 1)).map { _ in TriggerCondition.role(.champion) }
        let output = try output([0.9, 0.1])
        #expect(TriggerCondition.all(parts).count == TriggerCondition.nodeLimit)
        #expect(judge(.all(parts), output) == .holds)
        #expect(judge(.all(parts), output, role: .challenger) == .fails)
    }
}

@Suite("Limits of triggers")
struct TriggerLimitTests {
    @Test(
        "A condition that always holds forwards at most its rate plus a burst of a tenth of it",
        arguments: [10, 100, 36_000]
    )
    func flood(perHour: Int) {
        var limit = TriggerLimit(perHour: Double(perHour))
        var generator = SplitMix64(seed: 1)
        var passed = 0
        for step in 0..<360_000 where limit.admits(generator.nextUnit(), at: Int64(step) * 10) { passed += 1 }
        #expect(passed <= perHour + max(2, perHour / 10) + 1)
        #expect(passed >= perHour * 7 / 10)
    }

    @Test("A trigger that matches more rarely than its rate forwards everything")
    func rare() {
        var limit = TriggerLimit(perHour: 100)
        var generator = SplitMix64(seed: 2)
        for step in 0..<50 {
            let passes = limit.admits(generator.nextUnit(), at: Int64(step) * 72_000)
            #expect(passes)
        }
    }

    @Test("Two predictions of one sample are mostly both forwarded or both not")
    func pairs() {
        var limit = TriggerLimit(perHour: 600)
        var generator = SplitMix64(seed: 3)
        var (both, exactlyOne) = (0, 0)
        for step in 0..<360_000 {
            let draw = generator.nextUnit()
            let (first, second) = (
                limit.admits(draw, at: Int64(step) * 10), limit.admits(draw, at: Int64(step) * 10 + 3)
            )
            both += first && second ? 1 : 0
            exactlyOne += first != second ? 1 : 0
        }
        #expect(both > 150 && exactlyOne < both)
    }

    @Test("A clock that jumps back does not stop a trigger")
    func clock() {
        var limit = TriggerLimit(perHour: 36_000)
        for step in 0..<4_000 { _ = limit.admits(0, at: 1_000_000 + Int64(step)) }
        let passes = (0..<2_000).contains { limit.admits(0, at: Int64($0)) }
        #expect(passes)
    }
}
