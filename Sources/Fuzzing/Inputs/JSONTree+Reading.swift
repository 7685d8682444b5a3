extension JSONTree {
    /// Reads a valid text; nil if it is invalid, or nested deeper than 200. A separate reader, so that the tested code
    /// does not create its own input.
    public init?(reading bytes: [UInt8]) {
        var reader = TreeReader(bytes: bytes)
        guard let tree = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        guard reader.position == bytes.count else { return nil }
        self = tree
    }
}

private struct TreeReader {
    let bytes: [UInt8]
    var position = 0

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = current, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
    }

    private mutating func consume(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func value(depth: Int) -> JSONTree? {
        guard depth < 200 else { return nil }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        default:
            let start = position
            let ends: [UInt8] = [0x2C, 0x5D, 0x7D, 0x20, 0x0A, 0x0D, 0x09]
            while let byte = current, !ends.contains(byte) { position += 1 }
            return position > start ? .raw(Array(bytes[start..<position])) : nil
        }
    }

    private mutating func object(_ depth: Int) -> JSONTree? {
        position += 1
        var members: [JSONTree.Member] = []
        if consume("}") { return .object([]) }
        repeat {
            skipSpace()
            guard let key = string(), consume(":"), let value = value(depth: depth + 1) else { return nil }
            members.append(JSONTree.Member(key: key, value: value))
        } while consume(",")
        return consume("}") ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> JSONTree? {
        position += 1
        var elements: [JSONTree] = []
        if consume("]") { return .array([]) }
        repeat {
            guard let element = value(depth: depth + 1) else { return nil }
            elements.append(element)
        } while consume(",")
        return consume("]") ? .array(elements) : nil
    }

    private mutating func string() -> [UInt8]? {
        guard current == UInt8(ascii: "\"") else { return nil }
        position += 1
        let start = position
        while let byte = current {
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return Array(bytes[start..<position])
            }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }
}
