/// Sizes of texts encoded in JSON.
public enum EncodedText {
    /// Number of bytes of a text in JSON, without its quotes.
    ///
    /// - Complexity: O(*n*).
    public static func size(of text: String) -> Int {
        var size = 0
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C, 0x08, 0x09, 0x0A, 0x0C, 0x0D: size += 2
            case ..<0x20: size += 6
            default: size += 1
            }
        }
        return size
    }
}

extension Sample {
    /// Upper bound on the number of bytes of the sample in JSON, its embedding included.
    ///
    /// - Complexity: O(*n*) in its content and metadata.
    public var encodedBound: Int {
        // The numbers of an embedding are encoded in base64, 4 bytes each; names of members and braces need the rest.
        var size = 512 + (embedding?.count ?? 0) * 6
        size += EncodedText.size(of: id.rawValue) + EncodedText.size(of: group?.rawValue ?? "")
        size += EncodedText.size(of: space?.rawValue ?? "")
        switch content {
        case .uri(let text)?: size += EncodedText.size(of: text)
        case .inline(let mediaType, let text)?:
            size += EncodedText.size(of: mediaType) + EncodedText.size(of: text)
        case nil: break
        }
        for entry in metadata.entries {
            size += EncodedText.size(of: entry.key) + EncodedText.size(of: entry.value) + 8
        }
        return size
    }
}
