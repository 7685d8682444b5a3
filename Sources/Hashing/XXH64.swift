import CXXHash

/// XXH64 with seed 0 over `bytes`: the one stable hash of this project.
///
/// Not for secrets or integrity against an adversary: use `SHA256Digest` for those.
///
/// - Returns: The 64-bit hash, equal on every machine and in every language that implements XXH64.
/// - Complexity: O(*n*), several bytes per processor cycle; no allocation.
/// - SeeAlso: Collet, *xxHash fast digest algorithm*, and the specification beside the reference implementation.
public func xxh64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    XXH64(bytes.baseAddress, bytes.count, 0)
}

/// XXH64 with seed 0 over the UTF-8 bytes of `text`.
///
/// - Complexity: O(*n*); allocates only when `text` is not stored as contiguous UTF-8.
public func xxh64(_ text: String) -> UInt64 {
    var copy = text
    return copy.withUTF8 { xxh64(UnsafeRawBufferPointer($0)) }
}
