/// The model as bytes, the same for equal models.
///
/// Layout, little-endian: `FWSR`, version (UInt32, 1), classes (UInt32), features (UInt32); for each class the length
/// of its name (UInt32) and the name in UTF-8; then the weights as IEEE 754 doubles, in the order of `weights`. There
/// is no checksum: the code that stores the bytes keeps their digest beside them.
extension SoftmaxRegression {
    private static let magic = Array("FWSR".utf8)
    private static let version: UInt32 = 1

    /// The model as bytes.
    public var bytes: [UInt8] {
        var output = Self.magic
        output.reserveCapacity(weights.count * 8 + classes.count * 16 + 16)
        append(Self.version, to: &output)
        append(UInt32(classes.count), to: &output)
        append(UInt32(featureCount), to: &output)
        for name in classes {
            append(UInt32(name.utf8.count), to: &output)
            output.append(contentsOf: name.utf8)
        }
        for weight in weights { append(weight.bitPattern, to: &output) }
        return output
    }

    /// Reads a model.
    ///
    /// - Throws: `LearnerError` of kind `format` unless the bytes are exactly one model with finite weights.
    public init(bytes: [UInt8]) throws(LearnerError) {
        var reader = ArtifactReader(bytes: bytes)
        guard bytes.starts(with: Self.magic) else { throw LearnerError(.format, "not a softmax model") }
        reader.position = Self.magic.count
        let version = try reader.integer(UInt32.self)
        guard version == Self.version else {
            throw LearnerError(.format, "expected version \(Self.version), found \(version)")
        }
        let classCount = Int(try reader.integer(UInt32.self))
        let featureCount = Int(try reader.integer(UInt32.self))
        // Every class takes at least 4 bytes and every weight 8, which limits the memory reserved below.
        let (count, overflow) = classCount.multipliedReportingOverflow(by: featureCount + 1)
        guard classCount > 0, featureCount > 0, !overflow, count <= bytes.count / 8 else {
            throw LearnerError(.format, "the numbers of classes and features do not fit the \(bytes.count) bytes")
        }
        var classes: [String] = []
        for _ in 0..<classCount { classes.append(try reader.name()) }
        var weights: [Double] = []
        weights.reserveCapacity(count)
        for _ in 0..<count { weights.append(Double(bitPattern: try reader.integer(UInt64.self))) }
        guard reader.position == bytes.count else { throw LearnerError(.format, "bytes are left over") }
        do throws(LearnerError) {
            try self.init(classes: classes, featureCount: featureCount, weights: weights)
        } catch {
            throw LearnerError(.format, error.reason)
        }
    }

    private func append(_ value: some FixedWidthInteger, to output: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { output.append(contentsOf: $0) }
    }
}

/// Reads the bytes of a model in order, never beyond their end.
private struct ArtifactReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(LearnerError) -> Integer {
        let size = Integer.bitWidth / 8
        guard bytes.count - position >= size else { throw LearnerError(.format, "the bytes end early") }
        var value: Integer = 0
        for offset in 0..<size { value |= Integer(bytes[position + offset]) << Integer(offset * 8) }
        position += size
        return value
    }

    mutating func name() throws(LearnerError) -> String {
        let count = Int(try integer(UInt32.self))
        guard bytes.count - position >= count else { throw LearnerError(.format, "the bytes end early") }
        guard let name = String(validating: bytes[position..<position + count], as: UTF8.self) else {
            throw LearnerError(.format, "a class name is not UTF-8")
        }
        position += count
        return name
    }
}
