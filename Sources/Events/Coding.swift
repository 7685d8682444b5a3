internal import Forms
internal import Foundation
public import JSON
internal import Vocabulary

/// A value with one JSON form: a written value is read back as an equal value, which is written as the same bytes.
///
/// ```swift
/// let entry = JournalEntry(project: ProjectID("digits"), body: .engine(build: "0.5.0"))
/// let bytes = entry.jsonBytes
/// let read = try JSONParser().withDocument(of: bytes) { try JournalEntry(json: $0) }
/// ```
public protocol JSONCodable {
    init(json: JSONValue) throws(JSONError)
    func write(to writer: inout JSONWriter)
}

extension JSONCodable {
    /// The bytes of the JSON form.
    public var jsonBytes: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

extension JSONWriter {
    mutating func member(_ key: StaticString, _ value: some JSONCodable) {
        self.key(key)
        value.write(to: &self)
    }

    mutating func member(_ key: StaticString, ifPresent value: (some JSONCodable)?) {
        if let value { member(key, value) }
    }

    mutating func member(_ key: StaticString, _ id: some Identifier) { member(key, id.rawValue) }

    mutating func member(_ key: StaticString, ifPresent id: (some Identifier)?) { member(key, ifPresent: id?.rawValue) }

    mutating func member(_ key: StaticString, _ time: StreamTime) { member(key, time.milliseconds) }

    mutating func array(_ key: StaticString, ofValues values: some Sequence<some JSONCodable>) {
        array(key) { writer in for value in values { value.write(to: &writer) } }
    }
}

extension JSONObject {
    func id<ID: Identifier>(_ key: StaticString, _: ID.Type = ID.self) throws(JSONError) -> ID {
        let text = try string(key)
        guard let id = ID(checking: text) else {
            throw failure(key, "expected 1 to 256 bytes without control characters")
        }
        return id
    }

    func project(_ key: StaticString = "project") throws(JSONError) -> ProjectID {
        guard let project = ProjectID(checking: try string(key)) else {
            throw failure(key, "expected 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first")
        }
        return project
    }

    func optionalID<ID: Identifier>(_ key: StaticString, _ type: ID.Type = ID.self) throws(JSONError) -> ID? {
        optional(key) == nil ? nil : try id(key, type)
    }

    /// Reads the ids in the list called `key`.
    func ids<ID: Identifier>(_ key: StaticString, _: ID.Type = ID.self) throws(JSONError) -> [ID] {
        let elements = try array(key)
        var ids: [ID] = []
        ids.reserveCapacity(elements.count)
        for element in elements {
            guard let id = ID(checking: try element.string()) else {
                throw element.failure("expected 1 to 256 bytes without control characters")
            }
            ids.append(id)
        }
        return ids
    }

    func time(_ key: StaticString) throws(JSONError) -> StreamTime { StreamTime(milliseconds: try int64(key)) }

    func optionalTime(_ key: StaticString) throws(JSONError) -> StreamTime? {
        try optionalInt64(key).map { StreamTime(milliseconds: $0) }
    }

    /// Reads a count of a row, at most `Counting.limit` either way (-1 is before the first): additions to it never
    /// overflow.
    func count(_ key: StaticString) throws(JSONError) -> Int { try int(key, in: -Counting.limit...Counting.limit) }

    func optionalCount(_ key: StaticString) throws(JSONError) -> Int? {
        try optionalInt(key, in: -Counting.limit...Counting.limit)
    }

    func count64(_ key: StaticString) throws(JSONError) -> Int64 { Int64(try count(key)) }

    func entryNumber(_ key: StaticString) throws(JSONError) -> UInt64 {
        UInt64(try int(key, in: 0...Counting.limit))
    }

    func value<T: JSONCodable>(_ key: StaticString, _: T.Type = T.self) throws(JSONError) -> T {
        try T(json: try required(key))
    }

    func optionalValue<T: JSONCodable>(_ key: StaticString, _: T.Type = T.self) throws(JSONError) -> T? {
        guard let member = optional(key) else { return nil }
        return try T(json: member)
    }

    func values<T: JSONCodable>(_ key: StaticString, _: T.Type = T.self) throws(JSONError) -> [T] {
        let elements = try array(key)
        var values: [T] = []
        values.reserveCapacity(elements.count)
        // A loop instead of `map`: because the error type is not known to generic code, a closure would be called
        // through two others.
        for element in elements { values.append(try T(json: element)) }
        return values
    }

    func choice<T: RawRepresentable & CaseIterable>(_ key: StaticString, _: T.Type = T.self) throws(JSONError) -> T
    where T.RawValue == String {
        let text = try string(key)
        guard let value = T(rawValue: text) else {
            let known = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw failure(key, "expected one of \(known), found \"\(text.prefix(64))\"")
        }
        return value
    }

    /// Reads the texts in the list called `key`; empty if absent.
    func stringsIfPresent(_ key: StaticString) throws(JSONError) -> [String] {
        optional(key) == nil ? [] : try strings(key)
    }

    /// Checks the tag of a value that depends on the kind of task.
    func requireKind(_ expected: String) throws(JSONError) {
        let kind = try string("kind")
        guard kind == expected else {
            let planned = ["choices", "number", "boxes", "spans", "ranking", "text"]
            let reason =
                planned.contains(kind) ? "kind \"\(kind)\" is not built yet" : "unknown kind \"\(kind.prefix(64))\""
            throw failure("kind", "\(reason), expected \"\(expected)\"")
        }
    }
}

/// Bounds of the counts in rows and facts.
public enum Counting {
    /// The largest count that is accepted: no project reaches it, so a record with a larger count was not written by
    /// Flywheel.
    public static let limit = Int(Integer<Int>.largestCount)
}

/// Base64 of RFC 4648, section 4.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }
}
