internal import JSON
internal import Vocabulary

/// The JSON forms of an embedding: a list of numbers, or base64 of little-endian float32. The latter is the form
/// written.
struct Embedding: JSONCodable {
    static let dimensionLimit = EmbeddingSpace.dimensions.upperBound
    private static let notFinite = "expected finite numbers"
    let values: [Float]

    init(_ values: [Float]) { self.values = values }

    /// Whether an event is refused because a coordinate of its sample is not finite, or too large for 32 bits.
    static func isNotFinite(_ error: JSONError) -> Bool {
        error.path == "sample.embedding" && error.reason == notFinite
    }

    init(json: JSONValue) throws(JSONError) {
        var values: [Float] = []
        if let object = json.objectView {
            try object.requireKind("float32")
            guard let bytes = Base64.decode(try object.string("data")), bytes.count % 4 == 0 else {
                throw object.failure("data", "expected base64 of little-endian float32")
            }
            values.reserveCapacity(bytes.count / 4)
            bytes.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: bytes.count, by: 4) {
                    let bits = bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
                    values.append(Float(bitPattern: UInt32(littleEndian: bits)))
                }
            }
        } else {
            let array = try json.array()
            // Finiteness is checked below, so that numbers that are too large are distinguished from values that are
            // not numbers.
            values.reserveCapacity(array.count)
            for element in array { values.append(Float(try element.double())) }
        }
        guard !values.isEmpty, values.count <= Self.dimensionLimit else {
            throw json.failure("expected 1 to \(Self.dimensionLimit) finite numbers")
        }
        guard values.allSatisfy(\.isFinite) else { throw json.failure(Self.notFinite) }
        self.values = values
    }

    func write(to writer: inout JSONWriter) {
        let bytes = [UInt8](unsafeUninitializedCapacity: values.count * 4) { bytes, count in
            for (index, value) in values.enumerated() {
                UnsafeMutableRawBufferPointer(bytes)
                    .storeBytes(of: value.bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self)
            }
            count = values.count * 4
        }
        writer.object { writer in
            writer.member("kind", "float32")
            writer.member("data", Base64.encode(bytes))
        }
    }
}
