import Datasets
import Flywheel
import JSON
import Kinds
import Labeling
import Rollout
import Testing
import Vocabulary

@testable import Events

/// Values of each kind, to which the laws of codecs are applied.
private struct KindValues: Sendable, CustomStringConvertible {
    let question: Question
    let outputs: [Output]
    let answers: [Answer]
    let labels: [Label]
    var description: String { question.kind.rawValue }

    static let all = [
        KindValues(
            question: .choice(LabelSchema(question: "Which \"animal\"?", classes: ["cat", "dög", "cow"])),
            outputs: [
                .choice(ClassDistribution([.init(label: ClassIndex(2), probability: 1)]).unsafelyUnwrapped),
                .choice(
                    ClassDistribution([.init(label: ClassIndex(1), probability: 0.75)], remainder: 0.25)
                        .unsafelyUnwrapped
                ),
            ],
            answers: [.choice(ClassIndex(0)), .choice(ClassIndex(2))],
            labels: [.choice(ClassIndex(0)), .choice(ClassIndex(1)), .choice(ClassIndex(2))]
        )
    ]
}

@Suite("Codecs of every kind")
struct KindCodecTests {
    private func read<T: JSONCodable>(_ text: String, _: T.Type = T.self) throws -> T {
        try JSONParser().withDocument(of: Array(text.utf8)) { try T(json: $0) }
    }

    private func roundTrip<T>(
        _ write: (inout JSONWriter) -> Void,
        _ read: (JSONObject) throws -> T
    ) throws -> T {
        var writer = JSONWriter()
        write(&writer)
        return try JSONParser().withDocument(of: writer.bytes) { try read($0.object()) }
    }

    /// Expects that a written value is read back equal and written again to the same bytes.
    private func check<T: JSONCodable & Equatable>(_ value: T) throws {
        let again: T = try read(String(decoding: value.jsonBytes, as: UTF8.self))
        #expect(again == value && again.jsonBytes == value.jsonBytes)
    }

    @Test("Every kind has test values")
    func allKinds() { #expect(KindValues.all.map(\.question.kind) == KindName.allCases) }

    @Test("Values in the journal, the state, tasks and the dataset log survive a round trip", arguments: KindValues.all)
    fileprivate func inside(kind: KindValues) throws {
        try check(kind.question)
        for output in kind.outputs { try check(output) }
        for answer in kind.answers {
            try check(answer)
            try check(Vote(annotator: AnnotatorID("ann"), answer: answer))
            let annotation = Annotation(task: TaskID("t"), annotator: AnnotatorID("a"), outcome: .answer(answer))
            try check(annotation)
        }
        for label in kind.labels {
            try check(label)
            try check(NamedLabel(label, under: kind.question))
            try check(LabelRow(label: label, split: .test, sequence: 7, importKey: .max, standing: .revised))
            try check(ClosedTask(closing: .answered, label: label, annotators: [AnnotatorID("a"), AnnotatorID("b")]))
            let prediction = AuditPrediction(version: ModelVersion("v1"), label: label)
            let time = StreamTime(milliseconds: 5)
            try check(AuditRow(draw: 0.25, since: time, label: label, predictions: [prediction]))
            for stratum in AuditStratum.allCases {
                try check(
                    AuditRow(draw: 0.25, since: time, predictions: [prediction], stratum: stratum, isQueried: true)
                )
            }
        }
        let task = LabelingTask(
            id: TaskID("t"),
            sample: Sample(id: SampleID("s")),
            question: kind.question,
            state: .open,
            votesWanted: 1,
            votes: 0,
            priority: 0.5,
            purpose: .acquisition,
            reason: SelectionReason(
                strategy: "margin",
                score: 0.5,
                scoredBy: nil,
                predicted: kind.labels.first,
                inclusionProbability: nil
            ),
            openedAt: StreamTime(milliseconds: 1),
            expiresAt: StreamTime(milliseconds: 2)
        )
        try check(task)
    }

    @Test("Records of services, tools and trainers are read as they were written", arguments: KindValues.all)
    fileprivate func outside(kind: KindValues) throws {
        let (project, question) = (ProjectID("p"), kind.question)
        for output in kind.outputs {
            let prediction = PredictionEvent(
                project: project,
                sample: Sample(id: SampleID("s")),
                model: ModelReference(name: "m", version: ModelVersion("v1")),
                output: output,
                predictedAt: nil
            )
            let read = try roundTrip({ prediction.write(to: &$0, question: question) }) {
                try PredictionEvent($0, project: project, question: question)
            }
            #expect(read == prediction)
        }
        for answer in kind.answers {
            let annotation = AnnotationEvent(
                project: project,
                annotation: Annotation(task: TaskID("t"), annotator: AnnotatorID("a"), outcome: .answer(answer)),
                answeredAt: nil
            )
            let read = try roundTrip({ annotation.write(to: &$0, question: question) }) {
                try AnnotationEvent($0, project: project, question: question)
            }
            #expect(read == annotation)
        }
        for label in kind.labels {
            let imported = ImportEvent(
                project: project,
                origin: ImportOrigin(source: "tool", id: "1"),
                sample: Sample(id: SampleID("s")),
                answer: .label(label)
            )
            let read = try roundTrip({ imported.write(to: &$0, question: question) }) {
                try ImportEvent($0, project: project, question: question)
            }
            #expect(read == imported)
        }
        let result = TrainingResultEvent(
            project: project,
            result: TrainingResult(
                request: RequestID("r"),
                trial: 0,
                repetition: 0,
                outcome: .finished(
                    artifact: ArtifactReference(uri: "s3://a/b", size: 1, sha256: String(repeating: "a", count: 64)),
                    score: 0.5,
                    itemsScored: kind.labels.count,
                    predictions: kind.labels
                )
            )
        )
        let again = try roundTrip({ result.write(to: &$0) }) {
            try TrainingResultEvent($0, project: project, kind: question.kind)
        }
        #expect(again == result)
    }

    @Test("Rows of kind `choice` are written as before kinds existed")
    func rows() {
        func text(_ value: some JSONCodable) -> String { String(decoding: value.jsonBytes, as: UTF8.self) }
        let label = Label.choice(ClassIndex(2))
        #expect(text(LabelRow(label: label, split: .test, sequence: 7)) == #"{"index":2,"split":"test","sequence":7}"#)
        #expect(
            text(LabelRow(label: label, split: .training, sequence: 8, importKey: 9, standing: .moved))
                == #"{"index":2,"split":"training","sequence":8,"import_key":9,"standing":"moved"}"#
        )
        #expect(
            text(Vote(annotator: AnnotatorID("a"), answer: .choice(ClassIndex(0)))) == #"{"annotator":"a","index":0}"#
        )
        #expect(
            text(ClosedTask(closing: .expired, label: nil, annotators: [AnnotatorID("a")]))
                == #"{"closing":"expired","annotators":["a"]}"#
        )
        #expect(
            text(ClosedTask(closing: .answered, label: label, annotators: []))
                == #"{"closing":"answered","index":2,"annotators":[]}"#
        )
        let prediction = AuditPrediction(version: ModelVersion("v1"), label: label)
        #expect(
            text(AuditRow(draw: 0.5, since: StreamTime(milliseconds: 3), label: nil, predictions: [prediction]))
                == #"{"draw":0.5,"since_ms":3,"predictions":[{"version":"v1","index":2}]}"#
        )
        #expect(
            text(PairCounts(labels: 3, challengerOnly: 2, championOnly: 1))
                == #"{"labels":3,"challenger_only":2,"champion_only":1}"#
        )
        #expect(MemoryLayout<LabelRow>.stride <= 64)
    }

    @Test(
        "An entry of an unknown kind is reported as a newer build's",
        arguments: [
            #""kind":"annotation","project":"p","entry":{"task":"t","annotator":"a","outcome":"answer","answer":{"kind":"boxes"}}"#,
            #""kind":"candidate","project":"p","entry":{"sample":{"id":"s"},"output":{"kind":"boxes"},"score":0.5,"audit_draw":0.5,"predicted_at_ms":1}"#,
            #""kind":"configured","project":"p","entry":{"project":"p","label_schema":{"kind":"boxes","question":"?"}}"#,
            #""kind":"feedback","project":"p","entry":{"key":1,"sample":"s","model_version":"v","user":"u","verdict":"correction","answer":{"kind":"boxes"},"inclusion_probability":1}"#,
            #""kind":"training_result","project":"p","entry":{"request":"r","trial":0,"repeat":0,"status":"finished","artifact":{"uri":"s3://a/b","size":1,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"predictions":{"kind":"boxes","boxes":[]}}"#,
        ]
    )
    func entries(text: String) {
        let error = #expect(throws: JSONError.self) { try read(#"{"v":1,"# + text + "}", JournalEntry.self) }
        #expect(error?.kind == .newerForm && error?.description.contains("\"boxes\"") == true, "\(text)")
        #expect(error?.description.contains("upgrade this worker") == true)
    }

    @Test("A state row or a fact of an unknown kind is reported as a newer build's")
    func rowsOfAnotherKind() {
        func expectNewer<T: JSONCodable>(_ text: String, _ type: T.Type) {
            let error = #expect(throws: JSONError.self) { try read(text, type) }
            #expect(error?.kind == .newerForm && error?.description.contains("upgrade this worker") == true, "\(text)")
        }
        let boxes = #"{"kind":"boxes","boxes":[]}"#
        expectNewer(#"{"label":\#(boxes),"split":"test","sequence":7}"#, LabelRow.self)
        expectNewer(#"{"annotator":"a","answer":\#(boxes)}"#, Vote.self)
        expectNewer(#"{"closing":"answered","label":\#(boxes),"annotators":[]}"#, ClosedTask.self)
        expectNewer(#"{"version":"v1","label":\#(boxes)}"#, AuditPrediction.self)
        expectNewer(
            #"{"kind":"label_accepted","sequence":1,"sample":{"id":"s"},"label":\#(boxes),"split":"test","confidence":1,"task":"t","purpose":"audit","votes":[],"predicted_at_ms":1}"#,
            DatasetLogRecord.self
        )
        expectNewer(
            #"{"kind":"version_cut","sequence":1,"ordinal":1,"counts":{"training":1,"validation":0,"test":0},"label_kind":"boxes","classes":[]}"#,
            DatasetLogRecord.self
        )
    }

    @Test("Answers, outputs and predictions of another kind than the project's are refused by name")
    func otherKinds() {
        let question = KindValues.all[0].question
        func refusal(_ text: String, _ read: (JSONObject) throws -> Void) -> RecordRejection? {
            #expect(throws: RecordRejection.self) {
                try JSONParser().withDocument(of: Array(text.utf8)) { try read($0.object()) }
            }
        }
        let refusals = [
            refusal(#"{"task":"t","annotator":"a","outcome":"answer","answer":{"kind":"boxes","boxes":[]}}"#) {
                _ = try AnnotationEvent($0, project: ProjectID("p"), question: question)
            },
            refusal(
                #"{"sample":{"id":"s"},"model":{"version":"v"},"output":{"kind":"boxes","boxes":[]}}"#
            ) { _ = try PredictionEvent($0, project: ProjectID("p"), question: question) },
            refusal(
                #"{"request":"r","trial":0,"repeat":0,"status":"finished","artifact":{"uri":"s3://a/b","size":1,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"predictions":{"kind":"boxes","boxes":[]}}"#
            ) { _ = try TrainingResultEvent($0, project: ProjectID("p"), kind: question.kind) },
            refusal(#"{"source":"t","id":"1","sample":{"id":"s"},"label":{"kind":"boxes","boxes":[]}}"#) {
                _ = try ImportEvent($0, project: ProjectID("p"), question: question)
            },
        ]
        for refusal in refusals {
            #expect(refusal?.code == .unknownKind && refusal?.text.contains("\"boxes\" is not built yet") == true)
        }
    }
}
