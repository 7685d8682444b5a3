import CCrypto

/// Incremental SHA-256 digest, for content that arrives in pieces.
///
/// The struct owns libcrypto's context and frees it.
public struct SHA256Hasher: ~Copyable {
    private let context: OpaquePointer
    private var isStarted = false

    /// A hasher without content.
    public init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory for a digest context") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds the next piece.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        start()
        precondition(
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1,
            "libcrypto refused a digest update"
        )
    }

    /// Adds the next piece.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of all pieces so far; the hasher starts over.
    public mutating func finish() -> SHA256Digest {
        start()
        isStarted = false
        return SHA256Digest { output in
            var length: UInt32 = 0
            return EVP_DigestFinal_ex(context, output, &length) == 1
        }
    }

    private mutating func start() {
        guard !isStarted else { return }
        isStarted = true
        precondition(EVP_DigestInit_ex(context, SHA256Digest.algorithm, nil) == 1, "libcrypto has no SHA-256")
    }
}
