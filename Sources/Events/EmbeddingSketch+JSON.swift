internal import Acquisition
public import JSON
public import Strategies
internal import Vocabulary

extension EmbeddingSketch: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        guard let bytes = Base64.decode(try object.string("coordinates")) else {
            throw object.failure("coordinates", "expected base64 of one byte for each")
        }
        let sketch = EmbeddingSketch(
            dimension: try object.int("dimension", in: 1...Embedding.dimensionLimit),
            unit: Float(try object.double("unit")),
            coordinates: bytes.map { Int8(bitPattern: $0) },
            digest: try object.optionalUInt64("digest")
        )
        guard let sketch else { throw json.failure("expected a sketch of an embedding") }
        self = sketch
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("dimension", dimension)
            // A `Float` would be written with fewer digits; a `Double` represents it exactly.
            writer.member("unit", Double(unit))
            writer.member("coordinates", Base64.encode(coordinates.map { UInt8(bitPattern: $0) }))
            writer.member("digest", ifPresent: digest)
        }
    }
}
