internal import Events
internal import JSON
public import Storage

/// The cluster, and the topics in it, that a data folder's files belong to; said in the folder, in `cluster.json`.
///
/// Names of dataset versions and models count from 1 in every cluster: in a folder that another cluster's worker has written
/// to, they would be taken for this one's.
public struct FolderOwner: Hashable, Sendable {
    /// The id that the cluster gave itself; empty of a broker that has none.
    public let cluster: String
    /// What the names of its topics begin with.
    public let prefix: String
    static let file = "cluster.json"

    public init(cluster: String, prefix: String) {
        self.cluster = cluster
        self.prefix = prefix
    }

    /// Takes a folder that is nobody's, and one of a build that did not write this down; anything to do only once.
    ///
    /// - Throws: `EngineError` where the folder is another owner's, or says nothing that can be read; `StorageError` where it
    ///   cannot be read.
    public func claim(_ store: ObjectStore) throws {
        guard !cluster.isEmpty else { return }
        guard try store.size(of: Self.file) != nil else {
            // A disk that refuses holds up the role's work, and says so there; the next start claims the folder.
            _ = try? store.put(bytes, as: Self.file)
            return
        }
        let stored = try store.read(Self.file, maximumSize: 65_536)
        guard stored != bytes else { return }
        throw EngineError(
            "use the folder \(store.root)",
            Self(stored).map { "it holds the files of \($0.text), and this worker is of \(text)" }
                ?? "its \(Self.file) cannot be read",
            remedy: "give each cluster and prefix a folder of its own; or, if the cluster was restored under another "
                + "id, remove \(store.root)/\(Self.file)"
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
