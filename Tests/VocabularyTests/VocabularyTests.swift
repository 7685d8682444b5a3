import Statistics
import Testing
import Vocabulary

@Suite struct IdentifierTests {
    @Test("A name has 1 to 256 bytes and no control character")
    func names() {
        #expect(SampleID(checking: "s") != nil)
        #expect(SampleID(checking: "bild ß 東/7") != nil)
        #expect(SampleID(checking: String(repeating: "x", count: 256)) != nil)
        #expect(SampleID(checking: "") == nil)
        #expect(SampleID(checking: String(repeating: "x", count: 257)) == nil)
        // The limit is in bytes, not characters.
        #expect(SampleID(checking: String(repeating: "ß", count: 128)) != nil)
        #expect(SampleID(checking: String(repeating: "ß", count: 129)) == nil)
        for control in ["\u{0}", "\t", "\n", "\r", "\u{1F}", "\u{7F}"] {
            #expect(SampleID(checking: "a\(control)b") == nil)
        }
    }

    @Test("A project's name begins with a letter or digit and fits into the key of a record")
    func projects() {
        for name in ["a", "digits", "7days", "a.b_c-d", String(repeating: "x", count: 64)] {
            #expect(ProjectID(checking: name)?.rawValue == name)
        }
        for name in ["", "-a", ".a", "_a", "A", "a b", "a/b", "ä", String(repeating: "x", count: 65)] {
            #expect(ProjectID(checking: name) == nil, "\(name) passed")
        }
    }

    @Test("Identifiers are ordered like their names")
    func order() {
        let names = ["b", "a", "a-10", "a-9", "", "ß"]
        #expect(names.map { TaskID($0) }.sorted().map(\.rawValue) == names.sorted())
        #expect("\(ModelVersion("v1"))" == "v1")
    }

    @Test("Ids of decisions count up within an entry, and are unique among entries and projects")
    func decisionIDs() {
        var seen: Set<String> = []
        for project in ["a", "a-1", "a-1-2"] {
            for entry in [1, 2, 11, 21] as [UInt64] {
                var context = EntryContext(
                    project: ProjectID(project),
                    entryNumber: entry,
                    time: StreamTime(milliseconds: 0),
                    seed: 0
                )
                for ordinal in 0..<3 {
                    let id = context.nextID()
                    #expect(id == "\(project)-\(entry)-\(ordinal)")
                    #expect(seen.insert(id).inserted, "\(id) stands twice")
                }
            }
        }
    }
}

@Suite struct StreamTimeTests {
    @Test("Adding a span and subtracting it again gives the same time, and times are clamped at the limits")
    func spans() {
        let time = StreamTime(milliseconds: 1_000)
        #expect(time.advanced(byMilliseconds: 500).milliseconds(since: time) == 500)
        #expect(time.advanced(byMilliseconds: -1_500) < StreamTime(milliseconds: 0))
        #expect(StreamTime(milliseconds: .max - 1).advanced(byMilliseconds: 5) == StreamTime(milliseconds: .max))
        #expect(StreamTime(milliseconds: .min + 1).advanced(byMilliseconds: -5) == StreamTime(milliseconds: .min))
    }
}

@Suite struct ProbabilityTests {
    @Test("A probability is finite and in 0...1", arguments: [-0.001, 1.001, .nan, .infinity, -.infinity])
    func refused(value: Double) {
        #expect(Probability(value) == nil)
        #expect((0...1).contains(Probability(clamping: value).value))
    }

    @Test("Clamping keeps valid values and replaces NaN by 0")
    func clamping() {
        #expect([0, 0.25, 1].allSatisfy { Probability(clamping: $0).value == $0 && Probability($0)?.value == $0 })
        #expect(Probability(clamping: .nan).value == 0)
        #expect(Probability(clamping: 7).value == 1)
        #expect(Probability(clamping: -7).value == 0)
    }
}

@Suite struct LabelSchemaTests {
    @Test("A class is found by name and named by index, and a class beyond the schema is named by its number")
    func lookup() {
        let schema = LabelSchema(question: "?", classes: ["cat", "dog"])
        #expect(schema.index(of: "dog") == ClassIndex(1))
        #expect(schema.index(of: "cow") == nil)
        #expect(schema.name(of: ClassIndex(0)) == "cat")
        #expect(schema.name(of: ClassIndex(7)) == "#7")
        #expect(schema.contains(ClassIndex(1)))
        #expect(!schema.contains(ClassIndex(2)))
        #expect(!schema.contains(ClassIndex(-1)))
    }
}

@Suite struct ClassDistributionTests {
    static func distribution(_ probabilities: [Double], remainder: Double = 0) -> ClassDistribution? {
        let entries = probabilities.enumerated().map {
            ClassDistribution.Entry(label: ClassIndex($0.offset), probability: $0.element)
        }
        return ClassDistribution(entries, remainder: remainder)
    }

    @Test("Probabilities must be numbers in 0...1 that sum to 1 within 0.01")
    func validity() {
        #expect(Self.distribution([0.5, 0.5]) != nil)
        #expect(Self.distribution([1]) != nil)
        #expect(Self.distribution([0.4], remainder: 0.6) != nil)
        #expect(Self.distribution([0.5, 0.4901]) != nil)
        #expect(Self.distribution([0.5, 0.5099]) != nil)
        #expect(Self.distribution([0.5, 0.4899]) == nil)
        #expect(Self.distribution([0.5, 0.5101]) == nil)
        #expect(Self.distribution([]) == nil)
        #expect(Self.distribution([], remainder: 1) == nil)
        #expect(Self.distribution([1.5, -0.5]) == nil)
        #expect(Self.distribution([.nan, 1]) == nil)
        #expect(Self.distribution([.infinity]) == nil)
        #expect(Self.distribution([1], remainder: .nan) == nil)
        #expect(Self.distribution([1.2], remainder: -0.2) == nil)
        #expect(Self.distribution([0.5], remainder: 1.2) == nil)
    }

    @Test("No class is listed twice")
    func distinct() {
        let entry = ClassDistribution.Entry(label: ClassIndex(3), probability: 0.5)
        #expect(ClassDistribution([entry, entry]) == nil)
    }

    @Test(
        "Entries are sorted by probability, ties by the lower class, whatever their order of insertion",
        arguments: 0..<32 as Range<UInt64>
    )
    func order(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var weights: [Double] = []
        for _ in 0..<(1 + generator.next(below: 12)) { weights.append(Double(1 + generator.next(below: 4))) }
        var total = 0.0
        for weight in weights { total += weight }
        var entries: [ClassDistribution.Entry] = []
        for (label, weight) in weights.enumerated() {
            entries.append(.init(label: ClassIndex(label), probability: weight / total))
        }
        let sorted = ClassDistribution(entries)?.entries
        SeededSampling.shuffle(&entries, using: &generator)
        let again = ClassDistribution(entries)
        #expect(again?.entries == sorted)
        #expect(again?.top == sorted?.first)
        for (a, b) in zip(sorted ?? [], (sorted ?? []).dropFirst()) {
            #expect(a.probability > b.probability || (a.probability == b.probability && a.label < b.label))
        }
    }
}
