import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

/// A stream in which one source repeats nearly the same frame.
@Suite("A stuck camera")
struct StuckCameraTests {
    private func policy(_ strategy: StreamStrategy, share: Int64, burst: Int = 0) -> AcquisitionPolicy {
        freePolicy {
            $0.stream = StreamPolicy(strategy: strategy, share: LabelShare(millionths: share), burst: burst)
            $0.batchSize = 1
            $0.isDiverse = true
        }
    }

    /// Samples queried from a stream, in order.
    private func queried(_ stream: [Candidate], _ policy: AcquisitionPolicy, openTasks: Int = 0) -> [String] {
        var state = AcquisitionState()
        var ids: [String] = []
        for (number, candidate) in stream.enumerated() {
            // Draws of a rule depend on the entry, and copies have entries of their own.
            let entry = UInt64(1 + number)
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(entry, at: Int64(number)))
            ids += state.batch(policy, entry: entry, at: Int64(number), openTasks: openTasks).ids
        }
        // Waiting samples are queried at the end.
        for round in 0..<400 {
            let more = state.batch(policy, entry: 0, at: Int64(1_000_000 * (round + 1))).ids
            if more.isEmpty { break }
            ids += more
        }
        return ids
    }

    @Test(
        "Of 49 frames that are equal or nearly equal, one is queried",
        arguments: StreamStrategy.allCases,
        [0, 0.01, 0.02]
    )
    func frames(strategy: StreamStrategy, noise: Double) {
        for seed in 0..<2 as Range<UInt64> {
            for others in [0, 20, 60] {
                var generator = SplitMix64(seed: seed + 1)
                var stream = CopyTests.candidates(others, "s", &generator, dimension: 16)
                let point = CopyTests.candidates(1, "x", &generator, dimension: 16)[0].sample.embedding ?? []
                let start = stream.count / 2
                for frame in 0..<49 {
                    let moved = point.map { $0 + Float(generator.nextNormal() * noise) }
                    // The output is as uncertain as possible.
                    let entries = (0..<4).map { ClassDistribution.Entry(label: ClassIndex($0), probability: 0.25) }
                    let camera = Candidate(
                        sample: Sample(id: SampleID("camera\(frame)"), embedding: moved),
                        output: ClassDistribution(entries).map(Output.choice),
                        model: ModelReference(name: "m", version: ModelVersion("v1")),
                        score: 0.99,
                        auditProbability: nil,
                        auditDraw: 1,
                        predictedAt: StreamTime(milliseconds: 0)
                    )
                    stream.insert(camera, at: min(stream.count, start + 2 * frame))
                }
                // Every eligible sample is queried, except copies.
                let policy = policy(strategy, share: 1_000_000, burst: 20)
                for open in [0, Int.max / 2] {
                    let ids = queried(stream, policy, openTasks: open)
                    let frames = ids.count { $0.hasPrefix("camera") }
                    #expect(frames == 1, "\(strategy), noise \(noise), seed \(seed), \(others) others")
                }
            }
        }
    }

    @Test("Copies of queried samples are no events of the stream: the others are selected as without them")
    func others() {
        var generator = SplitMix64(seed: 4)
        let policy = policy(.quantile, share: 100_000, burst: 5)
        let stream = CopyTests.candidates(400, "s", &generator, dimension: 16)
        let alone = queried(stream, policy)
        let first = stream.first { $0.sample.id.rawValue == alone[0] }
        var more = stream
        for copy in 0..<500 {
            let index = 100 + generator.next(below: more.count - 100)
            more.insert(CopyTests.scored("copy\(copy)", first?.sample.embedding ?? [], &generator), at: index)
        }
        #expect(queried(more, policy) == alone)
    }

    @Test("A stream of one-dimensional embeddings does not run dry")
    func oneDimension() {
        var generator = SplitMix64(seed: 6)
        let stream = (0..<5_000).map { number in
            CopyTests.scored("s\(number)", [Float(generator.nextNormal())], &generator)
        }
        let ids = queried(stream, policy(.random, share: 100_000))
        #expect(ids.count > 200)
    }
}
