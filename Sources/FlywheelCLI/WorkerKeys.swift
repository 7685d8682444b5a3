import Configuration
import EngineCore
import Foundation
import Worker

/// Reads the keys of a worker's file, each with its possible values, its default and its meaning: no key can be read
/// that is missing from the reference.
final class WorkerKeys {
    /// A row of the reference.
    struct Row {
        let key: String
        /// Values that the key may have, with their unit.
        let value: String
        /// Default value, which applies without the key.
        let defaultValue: String
        let meaning: String
    }

    let reader: ConfigurationReader
    /// Rows of the keys, in the order in which they were read.
    private(set) var rows: [Row] = []
    private var sections: [String: ConfigurationReader] = [:]

    init(_ reader: ConfigurationReader) { self.reader = reader }

    /// Records the row, and returns the map that contains the key, and the key's name in it.
    private func register(_ key: String, value: String, defaultValue: String, meaning: String) -> (
        map: ConfigurationReader, name: String
    ) {
        rows.append(Row(key: key, value: value, defaultValue: defaultValue, meaning: meaning))
        guard let dot = key.firstIndex(of: ".") else { return (reader, key) }
        let (section, name) = (String(key[..<dot]), String(key[key.index(after: dot)...]))
        let map = sections[section] ?? reader.section(section)
        sections[section] = map
        return (map, name)
    }

    /// Reports a fault of a value that was read; a fault of a value that could not be read has already been reported.
    func report(_ key: String, _ fault: String) {
        guard !reader.hasIssue(with: key) else { return }
        guard let dot = key.firstIndex(of: "."), let section = sections[String(key[..<dot])] else {
            return reader.report(key, fault)
        }
        section.report(String(key[key.index(after: dot)...]), fault)
    }

    func text(_ key: String, _ defaultValue: String, shown: String? = nil, _ meaning: String) -> String {
        let (map, name) = register(key, value: "text", defaultValue: shown ?? "`\(defaultValue)`", meaning: meaning)
        return map.string(name, default: defaultValue)
    }

    /// Reads the URL of a store; nil if the key is absent. Reports a text that is not a URL, and the presence of both
    /// this key and the key of a folder.
    func storeURL(_ key: String, insteadOf folder: String, _ meaning: String) -> String? {
        let (map, name) = register(
            key,
            value: "`s3://BUCKET/PREFIX`, or `file:///FOLDER`",
            defaultValue: "none",
            meaning: meaning
        )
        guard map.contains(name) else { return nil }
        let text = map.string(name, default: "")
        if map.contains(folder) { map.report(name, "expected this key or \(folder), found both") }
        guard StoreLocation.isURL(text) else {
            map.report(name, "expected s3://BUCKET/PREFIX or file:///FOLDER; set a folder's path with \(folder)")
            return nil
        }
        do throws(EngineError) {
            _ = try StoreLocation(text)
        } catch {
            map.report(name, error.reason)
        }
        return text
    }

    func integer(
        _ key: String,
        _ defaultValue: Int,
        in range: ClosedRange<Int>,
        unit: String = "",
        shown: String? = nil,
        _ meaning: String
    ) -> Int {
        let (map, name) = register(
            key,
            value: Self.integer(range, unit),
            defaultValue: shown ?? "`\(defaultValue)`",
            meaning: meaning
        )
        return map.int(name, default: defaultValue, in: range)
    }

    func optionalInteger(_ key: String, _ range: ClosedRange<Int>, _ meaning: String) -> Int? {
        let (map, name) = register(key, value: Self.integer(range, ""), defaultValue: "none", meaning: meaning)
        return map.optionalInt(name, in: range)
    }

    private static func integer(_ range: ClosedRange<Int>, _ unit: String) -> String {
        let bounds = "\(range.lowerBound.formatted(.plain)) to \(range.upperBound.formatted(.plain))"
        return "integer, \(bounds)\(unit.isEmpty ? "" : " \(unit)")"
    }

    /// Reads a duration, in milliseconds.
    func duration(_ key: String, _ defaultValue: Int64, in range: ClosedRange<Int64>, _ meaning: String) -> Int64 {
        let value = "duration, \(Self.durationText(range.lowerBound)) to \(Self.durationText(range.upperBound))"
        let (map, name) = register(
            key,
            value: value,
            defaultValue: "`\(Self.durationText(defaultValue))`",
            meaning: meaning
        )
        let bounds = Duration.milliseconds(range.lowerBound) ... .milliseconds(range.upperBound)
        return WorkerFile.milliseconds(map.duration(name, default: .milliseconds(defaultValue), in: bounds))
    }

    private static func durationText(_ milliseconds: Int64) -> String {
        milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }

    /// Reads a size, in bytes; the bounds are whole numbers of MiB.
    func size(_ key: String, _ defaultValue: Int, in range: ClosedRange<Int>, _ meaning: String) -> Int {
        let value = "size, \(Self.sizeText(range.lowerBound)) to \(Self.sizeText(range.upperBound))"
        let (map, name) = register(
            key,
            value: value,
            defaultValue: "`\(Self.sizeText(defaultValue))`",
            meaning: meaning
        )
        return map.byteSize(name, default: defaultValue, in: range)
    }

    private static func sizeText(_ count: Int) -> String {
        count % (1 << 30) == 0 ? "\(count >> 30)GiB" : "\(count >> 20)MiB"
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        _ defaultValue: Choice,
        _ meaning: String
    ) -> Choice {
        let names = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        let (map, name) = register(key, value: names, defaultValue: "`\(defaultValue.rawValue)`", meaning: meaning)
        return map.choice(name, default: defaultValue)
    }

    func choices<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        _ defaultValue: [Choice],
        _ meaning: String
    ) -> [Choice] {
        let all = Choice.allCases.map(\.rawValue)
        let value = "list of " + all.map { "`\($0)`" }.joined(separator: ", ")
        let (map, name) = register(
            key,
            value: value,
            defaultValue: "`[\(defaultValue.map(\.rawValue).joined(separator: ", "))]`",
            meaning: meaning
        )
        return map.strings(name, default: defaultValue.map(\.rawValue)).compactMap { text in
            if let choice = Choice(rawValue: text) { return choice }
            map.report(name, "expected some of \(all.joined(separator: ", ")), found \"\(text)\"")
            return nil
        }
    }

    /// Reads absolute paths of folders, each of which must exist now if `areChecked`; nil if the key is absent.
    func folders(_ key: String, areChecked: Bool, _ meaning: String) -> [String]? {
        let (map, name) = register(
            key,
            value: "list of absolute paths of existing folders",
            defaultValue: "none",
            meaning: meaning
        )
        guard map.contains(name) else { return nil }
        let paths = map.strings(name)
        for path in paths {
            if let fault = areChecked ? Self.fault(ofFolder: path) : nil { map.report(name, fault) }
        }
        return paths
    }

    /// Describes why a path is not the absolute path of an existing folder; nil if it is.
    private static func fault(ofFolder path: String) -> String? {
        guard path.utf8.first == UInt8(ascii: "/") else {
            return
                "expected absolute paths, found \"\(path)\": a relative path depends on where the worker is started"
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return "there is no folder \(path): create it, mount it, or remove it from the list"
        }
        return isFolder.boolValue ? nil : "expected folders, found the file \(path)"
    }

    private static let reference = "`${VARIABLE}` or `file:PATH`"

    func secret(_ key: String, isNeeded: Bool, shown: String, _ meaning: String) -> Secret? {
        let (map, name) = register(key, value: Self.reference, defaultValue: shown, meaning: meaning)
        return map.secret(name, isNeeded: isNeeded)
    }

    func secrets(
        _ key: String,
        atMost most: Int,
        minimumBytes: Int,
        isNeeded: Bool,
        shown: String,
        _ meaning: String
    ) -> [Secret] {
        let value =
            "\(Self.reference), or a list of 1 to \(most) of them; each secret has at least \(minimumBytes) bytes"
        let (map, name) = register(key, value: value, defaultValue: shown, meaning: meaning)
        return map.secrets(name, atMost: most, minimumBytes: minimumBytes, isNeeded: isNeeded)
    }

    func properties(
        _ key: String,
        isNeeded: Bool,
        secrets isSecret: (String) -> Bool,
        fault: (String, String) -> String?,
        _ meaning: String
    ) -> [(name: String, value: Secret)] {
        let value = "map of texts; each text may be \(Self.reference)"
        let (map, name) = register(key, value: value, defaultValue: "none", meaning: meaning)
        return map.secretMap(name, secrets: isSecret, isNeeded: isNeeded, fault: fault)
    }
}

extension FormatStyle where Self == IntegerFormatStyle<Int> {
    /// Format with groups of three digits, as in all documents.
    fileprivate static var plain: IntegerFormatStyle<Int> {
        IntegerFormatStyle<Int>(locale: Locale(identifier: "en_US"))
    }
}

extension WorkerKeys {
    /// The reference page in Markdown, with every key of a worker's file.
    var page: String {
        // Path relative to the location of the page.
        let guide = "guides/operator.md"
        let table = rows.map { "| `\($0.key)` | \($0.value) | \($0.defaultValue) | \($0.meaning) |" }
        return """
            # The worker's file

            Every key of a worker's file, as `flywheel run --config FILE` and `flywheel config check FILE` read it. This page is generated by `make reference` from the code that reads the file: make changes there. The [operators' guide](../\(guide)#the-workers-file) says what to choose.

            A file is YAML, and may be empty. A key with a full stop is in a map: `console.port` is `port` under `console:`. Unknown keys, duplicate keys and values out of range are refused; all are reported at once, each with its line. A duration is a whole number and its unit: `ms`, `s`, `m`, `h` or `d`. A size is a whole number of bytes, or one with `KB`, `MB`, `GB` (thousands) or `KiB`, `MiB`, `GiB` (1,024). A secret is never written into the file: `${VARIABLE}` names a variable of the environment, `file:PATH` a file whose first line is the secret. `flywheel run` and `config check` require every secret that the file names; every other command requires those of `kafka` if it contacts a broker, those of `s3` if it reads dataset versions and `store.url` is a bucket, and no others.

            | Key | Value | Default | Meaning |
            |---|---|---|---|
            \(table.joined(separator: "\n"))

            """
    }
}
