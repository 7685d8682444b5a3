import Events
import Flywheel
import Foundation
import JSON
import Vocabulary

/// The golden files and counter-examples of `schemas/`.
enum SchemaFiles {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("schemas")

    /// The question under which the files of `digits` were written.
    static let question = Question.choice(
        LabelSchema(question: "Which digit is this?", classes: (0...9).map { String($0) })
    )

    /// The revision of `project/golden/defaults.json`.
    static func configuration() throws -> ProjectConfiguration {
        try JSONParser().withDocument(of: bytes("project/golden/defaults.json")) { try ProjectConfiguration(json: $0) }
    }

    /// Paths of the files in folders of one name, such as `golden`, relative to `schemas/`, as in
    /// `command/golden/hold.json`.
    static func paths(_ kind: String) -> [String] {
        let manager = FileManager.default
        var paths: [String] = []
        for event in ((try? manager.contentsOfDirectory(atPath: root.path)) ?? []).sorted() {
            let folder = root.appendingPathComponent(event).appendingPathComponent(kind)
            let names = (try? manager.contentsOfDirectory(atPath: folder.path)) ?? []
            for name in names.sorted() where name.hasSuffix(".json") { paths.append("\(event)/\(kind)/\(name)") }
        }
        return paths
    }

    static func event(of path: String) -> String { String(path.prefix { $0 != "/" }) }

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: root.appendingPathComponent(path)))
    }

    /// Reads a value by its event's codec and writes it again; nil when `Events` has no codec for it.
    ///
    /// `tally`, `dead-letter` and the loop's own marks on `state` (`chain`, `position`) are written by Engine.
    static func recode(_ event: String, _ bytes: [UInt8]) throws -> [UInt8]? {
        try JSONParser().withDocument(of: bytes) { json in
            var writer = JSONWriter()
            guard try recode(event, json, to: &writer) else { return nil }
            // A token is written beside the content of the decision.
            let carriesToken = ["labeling-task", "training-request"].contains(event)
            let token = carriesToken ? try RequestToken(of: json.object()) : nil
            return token?.added(to: writer.bytes) ?? writer.bytes
        }
    }

    private static func recode(_ event: String, _ json: JSONValue, to writer: inout JSONWriter) throws -> Bool {
        switch event {
        case "prediction":
            let object = try json.object()
            try PredictionEvent(object, project: project(object), question: question)
                .write(to: &writer, question: question)
        case "feedback":
            let object = try json.object()
            try FeedbackEvent(object, project: project(object), question: question)
                .write(to: &writer, question: question)
        case "annotation":
            let object = try json.object()
            try AnnotationEvent(object, project: project(object), question: question)
                .write(to: &writer, question: question)
        case "training-result":
            let object = try json.object()
            guard !PredictedEvent.matches(object) else {
                try PredictedEvent(object, project: project(object), question: question)
                    .write(to: &writer, question: question)
                return true
            }
            try TrainingResultEvent(object, project: project(object)).write(to: &writer)
        case "command":
            let object = try json.object()
            try CommandEvent(object, project: project(object)).write(to: &writer)
        case "import":
            let object = try json.object()
            try ImportEvent(object, project: project(object), question: question)
                .write(to: &writer, question: question)
        case "dataset-version":
            let object = try json.object()
            try SealedVersionEvent(object, project: project(object)).write(to: &writer)
        case "project": try ProjectConfiguration(json: json).write(to: &writer)
        case "journal-entry": try JournalEntry(json: json).write(to: &writer)
        case "labeling-task": try LabelingTask(json: json).write(to: &writer, project: project(json.object()))
        case "dataset-log": try DatasetLogRecord(json: json).write(to: &writer, project: project(json.object()))
        case "training-request":
            let object = try json.object()
            guard object.optional("kind") == nil else {
                try PredictionRequest(json: json).write(to: &writer, project: project(object))
                return true
            }
            try TrainingRequest(json: json).write(to: &writer, project: project(object))
        case "model-release": try ModelRelease(json: json).write(to: &writer, project: project(json.object()))
        case "release-log": try ReleaseLogRecord(json: json).write(to: &writer, project: project(json.object()))
        case "notice": try Notice(json: json).write(to: &writer, project: project(json.object()))
        default: return false
        }
        return true
    }

    private static func project(_ object: JSONObject) throws -> ProjectID {
        guard let project = ProjectID(checking: try object.string("project")) else {
            throw RecordRejection(.schema, "project: not a project's name")
        }
        return project
    }
}
