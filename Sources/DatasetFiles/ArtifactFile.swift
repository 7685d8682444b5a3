internal import EngineCore
internal import Hashing
public import S3
internal import Storage
public import Vocabulary

/// Files that events name by URI, size and digest.
public enum ArtifactFile {
    /// The largest artifact that is read, in bytes.
    public static let limit = 1 << 30

    /// Reads a `file:` or `s3:` artifact and checks that it is what its reference says, as far as that says anything.
    ///
    /// - Parameters:
    ///   - reference: What an event says of it.
    ///   - maximumSize: The most bytes that are wanted.
    ///   - buckets: Who reads from buckets; nil: nobody can.
    /// - Returns: All of its bytes.
    /// - Throws: `StorageError` where it is not there or its store is away; `EngineError` of anything else.
    public static func read(
        _ reference: ArtifactReference,
        maximumSize: Int = limit,
        _ buckets: S3Client? = nil
    ) throws -> [UInt8] {
        // No more is read than the event says there is.
        let said = reference.size.flatMap { Int(exactly: max(0, $0)) }
        let bytes: [UInt8]
        do {
            bytes = try read(reference.uri, min(limit, maximumSize, said ?? limit), buckets)
        } catch let error as StorageError where error.kind == .tooLarge && said.map({ $0 < maximumSize }) ?? false {
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
        case (.file(let place), _): return try place.read(maximumSize: limit)
        case (.s3(let place), let buckets?): return try buckets.read(place, maximumSize: limit)
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
