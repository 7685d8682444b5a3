internal import Events
internal import JSON

/// What readers of dataset versions know of their form. Anything else is refused by its name: a version that is read without
/// what a newer build wrote into it would be another version, and nobody would see it.
enum DatasetForm {
    /// The newest `format_version` of a manifest that is read, and the one that is written.
    static let version = 1

    /// Members of a manifest that say where its labels are, in forms that this build does not have.
    private static let newerParts = ["pages", "tombstones"]

    /// Refuses a manifest that is not of the form that is known.
    ///
    /// - Throws: `.newerForm`, naming what is not known.
    static func check(manifest object: JSONObject) throws(JSONError) {
        guard try object.string("format") == "flywheel-dataset" else {
            throw object.failure("format", "expected flywheel-dataset")
        }
        let found = try object.int64("format_version")
        guard found == version else { throw newer("format_version", "\(found)", known: "\(version)") }
        if let kind = try object.object("label_schema").optionalString("kind"), kind != "choice" {
            throw newer("label_schema.kind", kind, known: "choice")
        }
        for member in newerParts where object.member(named: member) != nil {
            throw JSONError(.newerForm, path: member, reason: "this build does not know what it holds")
        }
    }

    /// Refuses a segment of a manifest that does not hold the labels of one split.
    static func check(segment object: JSONObject) throws(JSONError) {
        guard let kind = try object.optionalString("kind"), kind != "labels" else { return }
        throw newer(object.failure("kind", "").path, kind, known: "labels")
    }

    /// Refuses a line that is no accepted label.
    static func check(line object: JSONObject) throws(JSONError) {
        if let kind = try object.optionalString("kind"), kind != "label_accepted" {
            throw newer("kind", kind, known: "label_accepted")
        }
        if let kind = try object.object("label").optionalString("kind"), kind != "choice" {
            throw newer("label.kind", kind, known: "choice")
        }
    }

    private static func newer(_ path: String, _ found: String, known: String) -> JSONError {
        let name = found.prefix(64)
        return JSONError(.newerForm, path: path, reason: "\"\(name)\" is unknown, this build reads \"\(known)\"")
    }

    /// The error of a file whose text cannot be read: what is wrong, where, and what to do.
    static func refusal(_ error: JSONError, in file: String) -> EngineError {
        EngineError("read \(file)", "\(error)", remedy: remedy(error))
    }

    /// What is wrong with a text, and what to do.
    static func reason(_ error: JSONError) -> String { "\(error); \(remedy(error))" }

    private static func remedy(_ error: JSONError) -> String {
        error.kind == .newerForm
            ? "a newer build wrote it: read it with that one, or upgrade this one"
            : "restore the file from a copy, or find out who wrote it"
    }
}
