internal import Foundation
internal import Glibc

/// Records the current input, one step per line, before it is read, so that the file is complete after a trap.
///
/// The first line names target, seed and iteration; the others are the steps of the target.
public final class InputRecorder {
    private let descriptor: Int32
    private let path: String
    /// Steps since `begin`.
    public private(set) var steps = 0

    /// Writes to a file; without a path nothing is written.
    public init(path: String?) throws {
        self.path = path ?? ""
        guard let path else {
            descriptor = -1
            return
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FuzzFault("cannot write \(path): \(String(cString: strerror(errno)))") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Discards the previous input, and records which input follows.
    public func begin(_ target: String, seed: UInt64, iteration: UInt64) {
        steps = 0
        guard descriptor >= 0 else { return }
        ftruncate(descriptor, 0)
        lseek(descriptor, 0, SEEK_SET)
        write(["target": .text(target), "seed": .word(String(seed)), "iteration": .word(String(iteration))])
    }

    /// Writes a step.
    public func step(_ tree: JSONTree) {
        steps += 1
        guard descriptor >= 0 else { return }
        write(tree)
    }

    private func write(_ tree: JSONTree) {
        var bytes = tree.bytes
        bytes.append(UInt8(ascii: "\n"))
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Copies what was written since `begin` to another file.
    public func save(to other: String) throws {
        guard descriptor >= 0 else { return }
        try Data(contentsOf: URL(fileURLWithPath: path)).write(to: URL(fileURLWithPath: other))
    }
}

/// A recorded input.
public struct RecordedInput {
    public let target: String
    public let iteration: UInt64
    public let steps: [JSONTree]

    /// Reads a file of `InputRecorder`; a step that was cut off by a trap is left out.
    public init(path: String) throws {
        let lines = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first.flatMap({ JSONTree(reading: Array($0)) }), let target = first["target"]?.plain
        else { throw FuzzFault("\(path) is no recorded input: its first line names no target") }
        self.target = target
        iteration = first["iteration"]?.plain.flatMap { UInt64($0) } ?? 0
        steps = lines.dropFirst().compactMap { JSONTree(reading: Array($0)) }
    }
}

extension JSONTree {
    /// Bytes in the form of a step: text if they are valid UTF-8, else hexadecimal; null for nil.
    public static func blob(_ bytes: [UInt8]?) -> JSONTree {
        guard let bytes else { return .null }
        if String(validating: bytes, as: UTF8.self) != nil { return .text(String(decoding: bytes, as: UTF8.self)) }
        return ["hex": .text(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())]
    }

    /// Bytes of a step; nil for null.
    public var blob: [UInt8]? {
        if case .string(let text) = self { return JSONTree.unescaped(text) }
        guard let hex = self["hex"]?.plain?.utf8 else { return nil }
        let digits = hex.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Undoes `escaped`.
    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var position = 0
        while position < text.count {
            guard text[position] == UInt8(ascii: "\\"), position + 1 < text.count else {
                bytes.append(text[position])
                position += 1
                continue
            }
            if text[position + 1] == UInt8(ascii: "u"), position + 6 <= text.count {
                bytes.append(UInt8(String(decoding: text[position + 2..<position + 6], as: UTF8.self), radix: 16) ?? 0)
                position += 6
            } else {
                bytes.append(text[position + 1])
                position += 2
            }
        }
        return bytes
    }
}
