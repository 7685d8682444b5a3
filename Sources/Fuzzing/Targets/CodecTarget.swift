internal import Events
internal import Flywheel
internal import JSON
public import Statistics
internal import Vocabulary

/// Target for the codecs of every record type on the topics: each value that is read is written, and the written text
/// must be readable and give the same bytes again.
public final class CodecTarget: FuzzTarget {
    public let name = "codecs"
    public let weight = 1.5
    private let corpus: Corpus
    private let mutator: JSONMutator
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
    private let secondParser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)

    /// Reads a value and writes it.
    private typealias Codec = @Sendable (JSONValue) throws -> [UInt8]

    private static let project = ProjectID("digits")
    private static let question = Question.choice(
        LabelSchema(question: "?", classes: (0..<10).map { "\($0)" })
    )

    private static let codecs: [(event: String, codec: Codec)] = [
        ("annotation", { json in try written(AnnotationEvent(json.object(), project: project, question: question)) }),
        ("command", { json in try written(CommandEvent(json.object(), project: project)) }),
        ("dataset-log", { try DatasetLogRecord(json: $0).jsonBytes }),
        ("dataset-version", { try SealedVersion(json: $0).jsonBytes }),
        ("feedback", { json in try written(FeedbackEvent(json.object(), project: project, question: question)) }),
        ("journal-entry", { try JournalEntry(json: $0).jsonBytes }),
        ("labeling-task", { try LabelingTask(json: $0).jsonBytes }),
        ("model-release", { try ModelRelease(json: $0).jsonBytes }),
        ("notice", { try Notice(json: $0).jsonBytes }),
        ("prediction", { json in try written(PredictionEvent(json.object(), project: project, question: question)) }),
        ("project", { try ProjectConfiguration(json: $0).jsonBytes }),
        ("release-log", { try ReleaseLogRecord(json: $0).jsonBytes }),
        ("tally", { try Tally(json: $0).jsonBytes }),
        ("training-request", { try isPrediction($0) ? PredictionRequest(json: $0).jsonBytes : written($0) }),
        (
            "training-result",
            { json in
                let object = try json.object()
                guard !PredictedEvent.matches(object) else {
                    return try written(PredictedEvent(object, project: project, question: question))
                }
                return try written(TrainingResultEvent(object, project: project))
            }
        ),
    ]

    private static func written(_ event: PredictionEvent) throws -> [UInt8] {
        return bytes { event.write(to: &$0, question: question) }
    }
    private static func written(_ event: FeedbackEvent) throws -> [UInt8] {
        return bytes { event.write(to: &$0, question: question) }
    }
    private static func written(_ event: AnnotationEvent) throws -> [UInt8] {
        return bytes { event.write(to: &$0, question: question) }
    }
    private static func written(_ event: TrainingResultEvent) throws -> [UInt8] {
        return bytes { event.write(to: &$0) }
    }
    private static func written(_ event: PredictedEvent) throws -> [UInt8] {
        return bytes { event.write(to: &$0, question: question) }
    }
    private static func written(_ study: JSONValue) throws -> [UInt8] { try TrainingRequest(json: study).jsonBytes }

    private static func isPrediction(_ json: JSONValue) throws -> Bool {
        try json.object().optional("kind") != nil
    }

    private static func written(_ event: CommandEvent) throws -> [UInt8] {
        return bytes { event.write(to: &$0) }
    }

    private static func bytes(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        write(&writer)
        return writer.bytes
    }

    public init(corpus: Corpus) {
        self.corpus = corpus
        mutator = JSONMutator(corpus: corpus.all, longest: 20_000)
    }

    public func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        let codec = generator.pick(Self.codecs)
        let trees = corpus[codec.event]
        guard !trees.isEmpty else { throw FuzzFault("the corpus has no \(codec.event)") }
        var tree = generator.pick(trees)
        if generator.chance(0.9) { mutator.mutate(&tree, &generator) }
        let bytes = mutator.bytes(of: tree, &generator)
        recorder.step(["event": .text(codec.event), "text": .blob(bytes)])
        try check(codec.event, with: codec.codec, bytes: bytes, into: &outcomes)
    }

    public func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        for step in steps {
            guard let codec = Self.codecs.first(where: { $0.event == step["event"]?.plain }) else {
                throw FuzzFault("a step names no event")
            }
            try check(codec.event, with: codec.codec, bytes: step["text"]?.blob ?? [], into: &outcomes)
        }
    }

    private func check(_ event: String, with codec: Codec, bytes: [UInt8], into outcomes: inout FuzzOutcomes) throws {
        let first: [UInt8]
        do {
            first = try parser.withDocument(of: bytes, codec)
        } catch let error as JSONError {
            return outcomes.add("codecs", "\(event): \(error.kind)")
        } catch let rejection as RecordRejection {
            return outcomes.add("codecs", "\(event): \(rejection.code.rawValue)")
        }
        outcomes.add("codecs", "\(event): read")
        let second: [UInt8]
        do {
            second = try secondParser.withDocument(of: first, codec)
        } catch {
            throw FuzzFault("\(event): what was written is refused: \(error): \(Self.excerpt(first))")
        }
        guard second == first else {
            throw FuzzFault("\(event): \(Self.excerpt(first)) is written again as \(Self.excerpt(second))")
        }
    }

    private static func excerpt(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(600), as: UTF8.self) }
}
