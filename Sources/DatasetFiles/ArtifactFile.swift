internal import EngineCore
internal import Hashing
public import S3
internal import Storage
public import Vocabulary

/// Files that events name by URI, size and digest.
public enum ArtifactFile {
    /// The largest artifact that is read, in bytes.
    public static let limit = 1 << 30

    /// Reads a `file:` or `s3:` artifact and checks that it matches its reference, as far as the reference states its
    /// properties.
    ///
    /// - Parameters:
    ///   - reference: Reference to the artifact in an event.
    ///   - maximumSize: The maximum number of bytes accepted.
    ///   - buckets: Client that reads from buckets; nil if there is none.
    /// - Returns: All bytes of the artifact.
    /// - Throws: `StorageError` if the artifact is missing or its store is unavailable; `EngineError` for all other
    ///   errors.
    public static func read(
        _ reference: ArtifactReference,
        maximumSize: Int = limit,
        _ buckets: S3Client? = nil
    ) throws -> [UInt8] {
        // No more bytes are read than the event states.
        let statedSize = reference.size.flatMap { Int(exactly: max(0, $0)) }
        let bytes: [UInt8]
        do {
            bytes = try read(reference.uri, min(limit, maximumSize, statedSize ?? limit), buckets)
        } catch let error as StorageError where error.kind == .tooLarge && statedSize.map({ $0 < maximumSize }) ?? false
        {
            throw mismatch(reference)
        }
        guard reference.size.map({ $0 == Int64(bytes.count) }) ?? true,
            reference.sha256.map({ $0 == SHA256Digest(of: bytes).hex }) ?? true
        else { throw mismatch(reference) }
        return bytes
    }

    private static func mismatch(_ reference: ArtifactReference) -> EngineError {
        EngineError("read \(reference.uri)", "it is not the file that the event names: size or SHA-256 differ")
    }

    private static func read(_ uri: String, _ limit: Int, _ buckets: S3Client?) throws -> [UInt8] {
        switch (ObjectURI(uri), buckets) {
        case (.file(let uri), _): return try uri.read(maximumSize: limit)
        case (.s3(let uri), let buckets?): return try buckets.read(uri, maximumSize: limit)
        case (.s3, nil):
            throw EngineError(
                "read \(uri.prefix(200))",
                "there is nothing to ask a bucket with",
                remedy: "give s3 in the worker's file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        case (nil, _):
            throw EngineError(
                "read \(uri.prefix(200))",
                "expected a file: URI of an absolute path, or s3://BUCKET/KEY",
                remedy: "other schemes are not built yet"
            )
        }
    }
}
