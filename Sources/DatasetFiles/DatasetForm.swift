package import EngineCore
internal import Events
package import JSON
internal import Vocabulary

/// Forms of dataset files that this build reads. Any other form is refused, and the error names it: a version read
/// without the members that a newer build wrote into it would be another version, without any notice.
package enum DatasetForm {
    /// The forms of manifests that are read and written: 1 lists all segments, 2 names pages of them.
    static let versions = 1...2
    /// The most entries of a page, and references of a manifest.
    static let pageLimit = 256
    /// The highest level of a page; more levels could not be filled.
    static let highestLevel = 8
    /// The most bytes of a page.
    static let pageSize = 256 << 10
    /// The maximum number of bytes of a segment: versions of form 1 had one segment for each split of a cut, and form 2
    /// takes over these segments.
    package static let segmentSize = 1 << 30
    /// The most bytes of a line.
    package static let lineSize = 64 << 20

    /// Suffix in the name of a file that is packed with zstd.
    static let compressedSuffix = ".zst"

    /// Refuses a manifest whose form is not known.
    ///
    /// - Returns: Its form.
    /// - Throws: `.newerForm`, naming the unknown part.
    static func check(manifest object: JSONObject) throws(JSONError) -> Int {
        guard try object.string("format") == "flywheel-dataset" else {
            throw object.failure("format", "expected flywheel-dataset")
        }
        let found = try object.int64("format_version")
        guard let version = Int(exactly: found), versions.contains(version) else {
            throw newer("format_version", "\(found)", known: #"1" or "2"#)
        }
        if let kind = try object.object("label_schema").optionalString("kind"), KindName(rawValue: kind) == nil {
            throw newer("label_schema.kind", kind, known: kinds)
        }
        // Members that locate labels in other forms and do not exist in this form.
        for member in version == 1 ? ["pages", "tombstones"] : ["segments", "tombstones"]
        where object.member(named: member) != nil {
            throw JSONError(
                .newerForm,
                path: member,
                reason: "this build does not know this member in form \(version)"
            )
        }
        return version
    }

    /// Refuses a page of an unknown form.
    static func check(page object: JSONObject) throws(JSONError) {
        guard try object.string("format") == "flywheel-dataset-page" else {
            throw object.failure("format", "expected flywheel-dataset-page")
        }
        let found = try object.int64("format_version")
        guard found == 2 else { throw newer("format_version", "\(found)", known: "2") }
    }

    /// Refuses a segment of a manifest that does not hold the labels of one split.
    static func check(segment object: JSONObject) throws(JSONError) {
        guard let kind = try object.optionalString("kind"), kind != "labels" else { return }
        throw newer(object.failure("kind", "").path, kind, known: "labels")
    }

    /// Refuses a line that is no accepted label.
    package static func check(line object: JSONObject) throws(JSONError) {
        if let kind = try object.optionalString("kind"), kind != "label_accepted" {
            throw newer("kind", kind, known: "label_accepted")
        }
        if let kind = try object.object("label").optionalString("kind"), KindName(rawValue: kind) == nil {
            throw newer("label.kind", kind, known: kinds)
        }
    }

    /// Kinds of labels that this build reads, for messages.
    private static let kinds = KindName.allCases.map(\.rawValue).joined(separator: "\" or \"")

    static func newer(_ path: String, _ found: String, known: String) -> JSONError {
        let name = found.prefix(64)
        return JSONError(.newerForm, path: path, reason: "\"\(name)\" is unknown, this build reads \"\(known)\"")
    }

    /// The error for a file whose text cannot be read: the fault, its location, and the remedy.
    package static func refusal(_ error: JSONError, in file: String) -> EngineError {
        EngineError("read \(file)", "\(error)", remedy: remedy(error))
    }

    /// The error for a file that differs from the reference that names it.
    static func damage(_ reason: String, in file: String) -> EngineError {
        EngineError("read \(file)", reason, remedy: "restore the file from a copy")
    }

    /// Builds the message for a text that cannot be decoded: the error and its remedy.
    package static func reason(_ error: JSONError) -> String { "\(error); \(remedy(error))" }

    private static func remedy(_ error: JSONError) -> String {
        error.kind == .newerForm
            ? "a newer build wrote it: read it with that one, or upgrade this one"
            : "restore the file from a copy, or find out who wrote it"
    }

    /// Whether a text is a SHA-256 in the form used in names: 64 lower-case hexadecimal digits.
    package static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
