import Acquisition
import Arguments
import Foundation
import JSON
internal import Kinds
import Statistics
import Strategies
import Tables
import Vocabulary

/// `flywheel-bench selection`: processor time of selecting one batch, for each rule.
struct SelectionBenchmark {
    static let specification = CommandSpecification(
        "selection",
        summary: "processor time of choosing one batch from a pool, for each rule",
        options: [
            .option("candidates", "N", help: "in the pool", defaultValue: "10000"),
            .option("dimensions", "N", help: "of their embeddings", defaultValue: "64"),
            .option("classes", "N", help: "that the model tells apart", defaultValue: "10"),
            .option("batch", "N", help: "samples wanted", defaultValue: "50"),
            .option("memory", "N", help: "queried samples that candidates are compared with", defaultValue: "1000"),
            .option("repeats", "N", help: "batches of each rule", defaultValue: "10"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    private let candidates: Int
    private let dimensions: Int
    private let classes: Int
    private let batch: Int
    private let memory: Int
    private let repeats: Int

    init(_ arguments: ParsedArguments) throws {
        candidates = try arguments.int("candidates", in: 1...100_000) ?? 10_000
        dimensions = try arguments.int("dimensions", in: 1...4_096) ?? 64
        classes = try arguments.int("classes", in: 2...10_000) ?? 10
        batch = try arguments.int("batch", in: 1...10_000) ?? 50
        memory = try arguments.int("memory", in: 0...10_000) ?? 1_000
        repeats = try arguments.int("repeats", in: 1...1_000) ?? 10
    }

    /// Measures every rule, and prints a line for each, or one JSON value.
    func run(printsJSON: Bool) {
        var times: [(rule: BatchRule, milliseconds: [Double])] = []
        for rule in BatchRule.allCases { times.append((rule, measure(rule))) }
        if printsJSON {
            var writer = JSONWriter()
            writer.object { writer in
                for (rule, milliseconds) in times {
                    writer.key(named: rule.rawValue)
                    writer.array { writer in for time in milliseconds { writer.value(time) } }
                }
            }
            return print(writer.text)
        }
        for (rule, milliseconds) in times {
            let sorted = milliseconds.sorted()
            print(
                String(
                    format: "%@  median %.1f ms, most %.1f ms",
                    rule.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0),
                    sorted[sorted.count / 2],
                    sorted[sorted.count - 1]
                )
            )
        }
    }

    /// Returns the processor time of each batch, in milliseconds.
    private func measure(_ rule: BatchRule) -> [Double] {
        var policy = AcquisitionPolicy(
            batchSize: batch,
            poolCapacity: candidates,
            openTaskLimit: .max / 2,
            auditShare: 0
        )
        policy.votes = .max / 2
        policy.batch.rule = rule
        policy.batch.coldStart = .none
        policy.batch.memory = memory
        var generator = SplitMix64(seed: 1)
        var state = AcquisitionState()
        for slot in 0..<memory { state.pool.queriedSketches[slot] = EmbeddingSketch(point(&generator)) }
        for number in 0..<candidates {
            state.receive(candidate(number, &generator), modelVersionNumber: 1, context(1, policy))
        }
        return (0..<repeats).map { round in
            let begin = Self.processorTime
            let chosen = state.selectBatch(context(UInt64(round + 2), policy))
            let time = Self.processorTime - begin
            precondition(chosen.count == min(batch, candidates - round * batch), "a batch is incomplete")
            return time
        }
    }

    private func point(_ generator: inout SplitMix64) -> [Float] {
        (0..<dimensions).map { _ in Float(generator.nextUnit()) }
    }

    private func candidate(_ number: Int, _ generator: inout SplitMix64) -> Candidate {
        var weights = (0..<classes).map { _ in Reproducible.pow(generator.nextUnit(), 4) }
        var sum = 0.0
        for weight in weights { sum += weight }
        for label in weights.indices { weights[label] /= sum }
        let output = ClassDistribution(
            weights.enumerated().map { .init(label: ClassIndex($0.offset), probability: $0.element) }
        )
        return Candidate(
            sample: Sample(id: SampleID("sample-\(number)"), embedding: point(&generator)),
            output: output.map { .choice($0) },
            model: ModelReference(name: "bench", version: ModelVersion("v1")),
            score: output.map { AcquisitionFunction.margin.score($0, classes: classes) } ?? 0,
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0)
        )
    }

    private func context(_ entry: UInt64, _ policy: AcquisitionPolicy) -> SelectionContext {
        SelectionContext(
            policy: Boxed(policy),
            newestVersionNumber: 1,
            entry: EntryContext(
                project: ProjectID("bench"),
                entryNumber: entry,
                // A batch is due because the maximum wait is over.
                time: StreamTime(milliseconds: Int64(entry) * 100_000),
                seed: entry &* 0x9E37_79B9_7F4A_7C15
            )
        )
    }

    /// Processor time of this process, in milliseconds.
    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1_000 + Double(time.tv_nsec) / 1e6
    }
}
