public import EngineCore
public import S3
public import Storage

/// Location of a store of objects: a folder, or a prefix in a bucket.
public enum StoreLocation: Hashable, Sendable {
    case folder(String)
    case bucket(S3URI)

    /// Reads a path, a `file:` URI or `s3://BUCKET/PREFIX`.
    ///
    /// - Throws: `EngineError` for another scheme, and for an invalid bucket or prefix.
    public init(_ text: String) throws(EngineError) {
        // Text that may contain a secret is not repeated.
        let shown = text.contains("@") ? "a text with an @ (not shown)" : "\"\(text.prefix(200))\""
        guard !Self.isURL(text) else {
            switch ObjectURI(text) {
            case .file(let uri): self = .folder(uri.path)
            case .s3(let uri): self = .bucket(uri)
            case nil:
                throw EngineError(
                    "use the store",
                    "expected a folder or s3://BUCKET/PREFIX (BUCKET: 3 to 63 of a-z 0-9 . -; PREFIX: no empty part), found \(shown)"
                )
            }
            return
        }
        self = .folder(text)
    }

    /// Whether a text is a URL and not a path: it begins with a scheme.
    public static func isURL(_ text: String) -> Bool {
        let scheme = text.prefix { $0 != ":" }
        return scheme.count < text.count
            && (text.dropFirst(scheme.count).hasPrefix("://") || ["s3", "file"].contains(scheme.lowercased()))
    }

    /// Opens the objects at the location. Accesses nothing but the folder, which is created if necessary.
    ///
    /// - Throws: `StorageError` if the folder cannot be created; `EngineError` for settings with which no bucket can be
    ///   accessed.
    public func open(_ connection: S3Connection) throws -> any ObjectStore {
        switch self {
        case .folder(let path): return try FolderStore(root: path)
        case .bucket(let uri): return S3Store(uri, client: try Self.client(connection))
        }
    }

    /// Creates the client that requests objects in buckets.
    ///
    /// - Throws: `EngineError` for settings with which no bucket can be accessed.
    public static func client(_ connection: S3Connection) throws(EngineError) -> S3Client {
        do throws(S3SettingsError) {
            return S3Client(try connection.settings())
        } catch {
            throw EngineError("use S3", error.reason)
        }
    }
}
