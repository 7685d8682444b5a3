/// A JSON text as a tree that may be written incorrectly: texts and scalars are stored as they are written, members
/// keep their order, and a key may occur twice.
public indirect enum JSONTree: Hashable, Sendable {
    /// A key, as written between its quotes, and its value.
    public struct Member: Hashable, Sendable {
        public var key: [UInt8]
        public var value: JSONTree

        public init(_ key: String, _ value: JSONTree) {
            self.key = JSONTree.escaped(key)
            self.value = value
        }

        init(key: [UInt8], value: JSONTree) {
            self.key = key
            self.value = value
        }
    }

    case object([Member])
    case array([JSONTree])
    /// Bytes between the quotes of a string.
    case string([UInt8])
    /// A number, a truth value, null, or any text that is none of these.
    case raw([UInt8])

    /// A text, escaped.
    public static func text(_ text: String) -> JSONTree { .string(escaped(text)) }
    /// A number or a word.
    public static func word(_ text: String) -> JSONTree { .raw(Array(text.utf8)) }
    public static let null = JSONTree.word("null")

    /// A text as it is written between quotes.
    public static func escaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes += [UInt8(ascii: "\\"), byte]
            } else if byte < 0x20 {
                bytes += Array("\\u00\(byte < 16 ? "0" : "1")\(String(byte & 15, radix: 16))".utf8)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// Number of values in the tree, including the tree itself.
    public var count: Int {
        switch self {
        case .object(let members): members.reduce(1) { $0 + $1.value.count }
        case .array(let elements): elements.reduce(1) { $0 + $1.count }
        case .string, .raw: 1
        }
    }

    /// The first member of that name; nil if there is none. Setting nil removes all members of that name; another value
    /// replaces the first one, or is appended.
    public subscript(key: String) -> JSONTree? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.first { $0.key == Self.escaped(key) }?.value
        }
        set {
            guard case .object(var members) = self else { return }
            let name = Self.escaped(key)
            if let newValue {
                if let index = members.firstIndex(where: { $0.key == name }) {
                    members[index].value = newValue
                } else {
                    members.append(Member(key: name, value: newValue))
                }
            } else {
                members.removeAll { $0.key == name }
            }
            self = .object(members)
        }
    }

    /// The elements of an array; empty for anything else.
    public var elements: [JSONTree] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// A text without escapes of its own, or a word; nil for containers.
    public var plain: String? {
        switch self {
        case .string(let bytes), .raw(let bytes): String(decoding: bytes, as: UTF8.self)
        case .object, .array: nil
        }
    }

    /// The value as a whole number; nil if it is none.
    public var int: Int? {
        guard case .raw(let bytes) = self else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self))
    }

    /// Changes the value at a position, counted from 0 in the order of the text.
    mutating func change(_ position: Int, _ body: (inout JSONTree) -> Void) {
        var left = position
        _ = change(&left, body)
    }

    private mutating func change(_ left: inout Int, _ body: (inout JSONTree) -> Void) -> Bool {
        if left == 0 {
            body(&self)
            return true
        }
        left -= 1
        switch self {
        case .object(var members):
            for index in members.indices where members[index].value.change(&left, body) {
                self = .object(members)
                return true
            }
        case .array(var elements):
            for index in elements.indices where elements[index].change(&left, body) {
                self = .array(elements)
                return true
            }
        case .string, .raw: break
        }
        return false
    }

    /// Appends the text of the tree.
    public func write(to bytes: inout [UInt8]) {
        switch self {
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.quote(member.key, &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .string(let text): Self.quote(text, &bytes)
        case .raw(let text): bytes += text
        }
    }

    private static func quote(_ text: [UInt8], _ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        bytes += text
        bytes.append(UInt8(ascii: "\""))
    }

    /// Text of the tree.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }
}

extension JSONTree: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .word(String(value)) }
    public init(arrayLiteral elements: JSONTree...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONTree)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
