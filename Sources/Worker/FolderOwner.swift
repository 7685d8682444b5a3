internal import EngineCore
internal import Events
internal import JSON
public import Storage

/// The cluster, and the topics in it, to which the files of a data folder belong; stored in the folder, in
/// `cluster.json`.
///
/// Dataset versions and models are numbered from 1 in every cluster: in a shared folder, files of another cluster would
/// be mistaken for files of this cluster.
public struct FolderOwner: Hashable, Sendable {
    /// The id of the cluster; empty if the broker has none.
    public let cluster: String
    /// Prefix of its topic names.
    public let prefix: String
    static let file = "cluster.json"

    public init(cluster: String, prefix: String) {
        self.cluster = cluster
        self.prefix = prefix
    }

    /// Claims a folder that has no owner, including a folder of a build that did not record the owner; a claim is
    /// needed only once.
    ///
    /// - Throws: `EngineError` if the folder belongs to another owner, or its record cannot be interpreted;
    ///   `StorageError` if it cannot be read.
    public func claim(_ store: any ObjectStore) throws { try claim(store, isFirst: true) }

    /// Refuses a folder that is not known to belong to this owner, and writes nothing.
    ///
    /// - Throws: `EngineError` if the folder belongs to another owner, or to none; `StorageError` if it cannot be read.
    public func check(_ store: any ObjectStore) throws {
        guard let stored = try store.readIfPresent(Self.file, maximumSize: 65_536) else {
            throw EngineError(
                "use the store \(store.location)",
                "it has no \(Self.file), so its owner is unknown",
                remedy: "start a worker on it first, or name another store with --store"
            )
        }
        guard stored != bytes else { return }
        throw foreign(stored, store)
    }

    private func claim(_ store: any ObjectStore, isFirst: Bool) throws {
        guard !cluster.isEmpty else { return }
        guard let stored = try store.readIfPresent(Self.file, maximumSize: 65_536) else {
            // A disk that refuses the write also pauses the role's work, which reports it; the next start claims the
            // folder.
            do throws(StorageError) {
                try store.put(bytes, as: Self.file)
            } catch {
                // Another worker was first: its record has to be read.
                if error.kind == .conflict, isFirst { try claim(store, isFirst: false) }
                return
            }
            return try checkConditions(store)
        }
        guard stored != bytes else { return try checkConditions(store) }
        throw foreign(stored, store)
    }

    private func foreign(_ stored: [UInt8], _ store: any ObjectStore) -> EngineError {
        EngineError(
            "use the store \(store.location)",
            Self(stored).map { "it holds the files of \($0.text), and this worker belongs to \(text)" }
                ?? "its \(Self.file) cannot be read",
            remedy:
                "give each cluster and prefix a folder or bucket prefix of its own; or, if the cluster was restored under another "
                + "id, remove \(store.location)/\(Self.file)"
        )
    }

    /// Refuses a store that replaces an object although the write was conditional: two workers would overwrite each
    /// other's versions there. Writes only content that is stored already.
    private func checkConditions(_ store: any ObjectStore) throws {
        let ignored =
            try store.put(bytes, as: Self.file)
            ? "If-None-Match" : try store.honoursRevisions(Self.file, bytes) ? nil : "If-Match"
        guard let ignored else { return }
        throw EngineError(
            "use the store \(store.location)",
            "it accepts \(ignored) but overwrites the object anyway",
            remedy: "use a store that honours conditional writes"
        )
    }

    private var text: String { "cluster \(cluster), topics \(prefix)…" }

    private var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("cluster")
            writer.value(cluster)
            writer.key("prefix")
            writer.value(prefix)
        }
        return writer.bytes
    }

    private init?(_ bytes: [UInt8]) {
        // A value is read in its parser's memory.
        let parser = JSONParser()
        let fields = withExtendedLifetime(parser) {
            bytes.withUnsafeBytes { raw -> (cluster: String, prefix: String)? in
                guard let root = try? parser.parse(raw),
                    let cluster = try? root["cluster"]?.string(),
                    let prefix = try? root["prefix"]?.string()
                else { return nil }
                return (cluster, prefix)
            }
        }
        guard let fields else { return nil }
        self.init(cluster: fields.cluster, prefix: fields.prefix)
    }
}
