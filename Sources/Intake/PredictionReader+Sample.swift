internal import JSON
internal import Vocabulary

/// Reading of a prediction's sample: its name and its other members, all checked by the rules of `Sample.init(json:)`.
extension PredictionReader {
    /// Reads a sample and returns its id; nil if the sample is not in plain form.
    @inline(__always)
    func readSample(
        _ cursor: inout JSONScan,
        into embedding: inout EmbeddingReading,
        _ group: inout UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer? {
        // A copy that no other code can access stays in registers.
        var scan = cursor
        defer { cursor = scan }
        var id: UnsafeRawBufferPointer?
        var seen = 0
        guard scan.consume(UInt8(ascii: "{")) else { return nil }
        while true {
            guard let name = scan.quotedKey(), let key = number(of: name) else { return nil }
            let isFirst = seen & (1 &<< key) == 0
            seen |= 1 &<< key
            switch isFirst ? key : Key.unknown {
            case Key.id:
                guard let text = scan.raw(), Self.isIdentifier(text) else { return nil }
                id = text
            case Key.embedding:
                if scan.null() { break }
                guard readEmbedding(&scan, into: &embedding) else { return nil }
            case Key.metadata:
                guard scan.null() || readMetadata(&scan) else { return nil }
            case Key.content:
                guard scan.null() || readContent(&scan) else { return nil }
            case Key.space:
                if scan.null() { break }
                guard let text = scan.raw(), Self.isIdentifier(text) else { return nil }
                embedding.space = text
            case Key.group:
                if scan.null() { break }
                guard let text = scan.raw(), Self.isIdentifier(text) else { return nil }
                group = text
            default: guard scan.skip() else { return nil }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return nil }
            if !more { return id }
        }
    }

    @inline(__always)
    private func readEmbedding(_ scan: inout JSONScan, into embedding: inout EmbeddingReading) -> Bool {
        guard scan.byte == UInt8(ascii: "[") else { return readFloats(&scan, into: &embedding) }
        let start = scan
        guard let found = scan.skipNumbers(), found.count <= EmbeddingSpace.dimensions.upperBound else { return false }
        (embedding.dimension, embedding.squares, embedding.numbers) = (found.count, found.squares, start)
        return true
    }

    /// Reads coordinates in base64.
    private func readFloats(_ scan: inout JSONScan, into embedding: inout EmbeddingReading) -> Bool {
        var seen = 0
        guard scan.consume(UInt8(ascii: "{")) else { return false }
        while true {
            guard let name = scan.quotedKey(), let key = number(of: name) else { return false }
            let isFirst = seen & (1 &<< key) == 0
            seen |= 1 &<< key
            switch isFirst ? key : Key.unknown {
            case Key.kind:
                guard let kind = scan.raw(), floats.find(padded: kind) != nil else { return false }
            case Key.data:
                guard let text = scan.raw(), let found = base64.floats(text),
                    EmbeddingSpace.dimensions.contains(found.count)
                else { return false }
                (embedding.dimension, embedding.squares) = (found.count, found.squares)
            default: guard scan.skip() else { return false }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return false }
            if !more { break }
        }
        let needed = 1 << Key.kind | 1 << Key.data
        return seen & needed == needed
    }

    private func readContent(_ scan: inout JSONScan) -> Bool {
        var (seen, isInline) = (0, false)
        guard scan.consume(UInt8(ascii: "{")) else { return false }
        while true {
            guard let name = scan.quotedKey(), let key = number(of: name) else { return false }
            let isFirst = seen & (1 &<< key) == 0
            seen |= 1 &<< key
            switch isFirst ? key : Key.unknown {
            case Key.kind:
                guard let kind = scan.raw(), let found = contents.find(padded: kind) else { return false }
                isInline = found == 1
            case Key.uri:
                guard let uri = scan.checkedRaw(), uri.count > 0, uri.count <= Content.longestURI else { return false }
            case Key.data:
                guard let text = scan.checkedRaw(), text.count <= Content.inlineLimit else { return false }
            case Key.mediaType: guard scan.checkedRaw() != nil else { return false }
            default: guard scan.skip() else { return false }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return false }
            if !more { break }
        }
        let needed = 1 << Key.kind | (isInline ? 1 << Key.data | 1 << Key.mediaType : 1 << Key.uri)
        return seen & needed == needed
    }

    /// Reads names with texts, numbers or truth values, no name twice. Names that are not ASCII may be equal although
    /// their bytes differ: if there are several names, the parser decides.
    @inline(__always)
    private func readMetadata(_ cursor: inout JSONScan) -> Bool {
        var scan = cursor
        defer { cursor = scan }
        guard scan.consume(UInt8(ascii: "{")) else { return false }
        if scan.consume(UInt8(ascii: "}")) { return true }
        // The first name has no predecessor to which it could be equal.
        guard let first = Self.readMetadataName(&scan), readMetadataValue(&scan),
            let more = scan.more(until: UInt8(ascii: "}"))
        else { return false }
        return !more || readMetadata(&scan, behind: first)
    }

    @inline(never)
    private func readMetadata(_ cursor: inout JSONScan, behind first: MetadataName) -> Bool {
        var scan = cursor
        defer { cursor = scan }
        guard first.isPlain else { return false }
        let limit = SampleMetadata.entryLimit
        return withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: limit) { names in
            names[0] = first.text
            var count = 1
            while true {
                guard count < limit, let name = Self.readMetadataName(&scan), name.isPlain,
                    Self.isNew(name.text, names[..<count])
                else { return false }
                names[count] = name.text
                count &+= 1
                guard readMetadataValue(&scan), let more = scan.more(until: UInt8(ascii: "}")) else { return false }
                if !more { return true }
            }
        }
    }

    private struct MetadataName {
        let text: UnsafeRawBufferPointer
        /// Whether the name is plain ASCII, DEL excluded.
        let isPlain: Bool
    }

    @inline(__always)
    private static func readMetadataName(_ scan: inout JSONScan) -> MetadataName? {
        guard let name = scan.key(), let start = name.baseAddress, name.count > 0,
            name.count <= SampleMetadata.longestKey
        else { return nil }
        if JSONScan.isPlainASCII(start, name.count) { return MetadataName(text: name, isPlain: true) }
        return JSONScan.hasEscape(start, name.count) ? nil : MetadataName(text: name, isPlain: false)
    }

    /// Reads a text that is short enough to be kept completely, or a number or truth value, which is kept as text and
    /// never too long.
    @inline(__always)
    private func readMetadataValue(_ scan: inout JSONScan) -> Bool {
        guard scan.byte == UInt8(ascii: "\"") else { return scan.byte | 0x20 != UInt8(ascii: "{") && scan.skip() }
        guard let text = scan.checkedRaw() else { return false }
        return text.count <= SampleMetadata.longestValue
    }

    @inline(__always)
    private static func isNew(
        _ name: UnsafeRawBufferPointer,
        _ others: Slice<UnsafeMutableBufferPointer<UnsafeRawBufferPointer>>
    ) -> Bool {
        for other in others where other.count == name.count && other.elementsEqual(name) { return false }
        return true
    }
}
