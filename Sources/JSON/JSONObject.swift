/// The members of an object, in the order of the text.
///
/// Reading a member finds the first one of that name; later members of the same name are ignored. `null` counts as
/// absent for the `optional…` methods and as a wrong type for the others.
public struct JSONObject {
    /// The object as a value.
    public let value: JSONValue

    /// The number of members, exact up to 16,777,214.
    public var count: Int { Int(value.tape[value.index] >> 32 & 0xff_ffff) }

    /// The first member called `key`, or nil.
    ///
    /// - Complexity: O(*m*) in the number of members before it, whatever their size.
    public subscript(key: StaticString) -> JSONValue? {
        member(utf8: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
    }

    /// The first member called `key`, or nil; for keys that are not known when compiling.
    public func member(named key: String) -> JSONValue? {
        var copy = key
        return copy.withUTF8 { member(utf8: $0) }
    }

    /// The first member whose key has these bytes, or nil.
    public func member(utf8 key: UnsafeBufferPointer<UInt8>) -> JSONValue? {
        let (tape, strings) = (value.tape, value.strings)
        let end = value.nextIndex - 1
        var cursor = value.index + 1
        while cursor < end {
            let name = UnsafeRawPointer(strings + Int(tape[cursor] & 0xff_ffff_ffff_ffff))
            if Int(name.loadUnaligned(as: UInt32.self)) == key.count, hasBytes(name + 4, of: key) {
                return value.at(cursor + 1)
            }
            cursor = value.at(cursor + 1).nextIndex
        }
        return nil
    }

    /// The member called `key`.
    ///
    /// - Throws: An error of kind `missing` if there is none.
    public func required(_ key: StaticString) throws(JSONError) -> JSONValue {
        guard let member = self[key] else { throw missing(key, "a value") }
        return member
    }

    /// The member called `key`; nil if there is none or it is `null`.
    public func optional(_ key: StaticString) -> JSONValue? {
        guard let member = self[key], !member.isNull else { return nil }
        return member
    }

    /// An error about the member called `key`, present or not.
    public func failure(_ key: StaticString, _ reason: String) -> JSONError {
        JSONError(.invalidValue, path: path(of: "\(key)"), reason: reason)
    }

    /// Refuses members with names that are not in `known`, for documents in which a misspelt key must not be accepted.
    public func requireKeys(in known: Set<String>) throws(JSONError) {
        for member in self where !known.contains(member.name) {
            let names = known.sorted().joined(separator: ", ")
            throw JSONError(.invalidValue, path: path(of: member.name), reason: "unknown key; expected one of \(names)")
        }
    }

    /// An error about a missing member called `key`.
    public func missing(_ key: String, _ expected: String) -> JSONError {
        JSONError(.missing, path: path(of: key), reason: "expected \(expected), found nothing")
    }

    func missing(_ key: StaticString, _ expected: String) -> JSONError { missing("\(key)", expected) }

    private func path(of key: String) -> String {
        let objectPath = value.path
        return objectPath.isEmpty ? key : "\(objectPath).\(key)"
    }
}

/// One member of an object.
public struct JSONMember {
    /// The key as UTF-8 in the parser's memory.
    public let key: UnsafeBufferPointer<UInt8>
    /// Value of the member.
    public let value: JSONValue

    /// The key as text; copies it.
    public var name: String { String(decoding: key, as: UTF8.self) }
}

extension JSONObject: Sequence {
    /// Walks over the members.
    public struct Iterator: IteratorProtocol {
        var cursor: JSONValue
        let end: Int

        /// The next member, or nil after the last.
        public mutating func next() -> JSONMember? {
            guard cursor.index < end else { return nil }
            let member = JSONMember(key: cursor.text, value: cursor.at(cursor.index + 1))
            cursor = cursor.at(member.value.nextIndex)
            return member
        }
    }

    /// Starts at the first member.
    public func makeIterator() -> Iterator {
        Iterator(cursor: value.at(value.index + 1), end: value.nextIndex - 1)
    }

    /// The number of members.
    public var underestimatedCount: Int { count }
}

/// Whether two runs of bytes are equal.
func hasEqualBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    guard let start = left.baseAddress else { return true }
    return hasBytes(UnsafeRawPointer(start), of: right)
}

/// Whether the bytes from an address on equal `bytes`: compares eight at a time, because most names have about as many.
@inline(__always)
private func hasBytes(_ start: UnsafeRawPointer, of bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let other = bytes.baseAddress.map({ UnsafeRawPointer($0) }) else { return true }
    var offset = 0
    while offset + 8 <= bytes.count {
        let isEqual =
            start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        guard isEqual else { return false }
        offset += 8
    }
    while offset < bytes.count {
        guard start.load(fromByteOffset: offset, as: UInt8.self) == other.load(fromByteOffset: offset, as: UInt8.self)
        else { return false }
        offset += 1
    }
    return true
}
