public import JSON
public import Vocabulary

/// Plan of a collection: the versions and objects of a project that are removed and those that are kept, with
/// the reasons.
public struct VersionCollection: Hashable, Sendable {
    /// A version, and the reasons why it is kept; a version without a reason is removed.
    public struct Version: Hashable, Sendable {
        public let versionNumber: Int
        public let id: DatasetVersionID
        public let reasons: [String]
    }

    /// An object, and the reason why it is removed or kept.
    public struct Object: Hashable, Sendable {
        public let name: String
        public let size: Int
        public let reason: String
    }

    public let project: ProjectID
    /// Versions that stay, ascending.
    public internal(set) var kept: [Version] = []
    /// Versions whose files are removed now, ascending.
    public internal(set) var collected: [Version] = []
    /// Number of versions that earlier collections removed.
    public internal(set) var collectedBefore = 0
    /// Objects to remove, in the order of removal.
    public internal(set) var removed: [Object] = []
    /// Objects that no version names but that are kept all the same.
    public internal(set) var spared: [Object] = []
    /// Records of the versions to remove, written before any of their files is removed.
    var records: [CollectedVersion] = []

    package init(_ project: ProjectID) { self.project = project }

    /// Total size of the objects to remove, in bytes.
    public var bytes: Int { removed.reduce(0) { $0.adding($1.size) } }
}

extension VersionCollection {
    /// Writes the removed and the kept versions and objects as one JSON object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("project", project.rawValue)
            writer.member("bytes", bytes)
            writer.member("collected_before", collectedBefore)
            for (name, versions) in [("kept", kept), ("collected", collected)] {
                writer.key(named: name)
                writer.array { writer in for version in versions { version.write(to: &writer) } }
            }
            for (name, objects) in [("removed", removed), ("spared", spared)] {
                writer.key(named: name)
                writer.array { writer in for object in objects { object.write(to: &writer) } }
            }
        }
    }
}

extension VersionCollection.Version {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("ordinal", versionNumber)
            writer.member("version", id.rawValue)
            if !reasons.isEmpty { writer.array("reasons", of: reasons) }
        }
    }
}

extension VersionCollection.Object {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", name)
            writer.member("size", size)
            writer.member("reason", reason)
        }
    }
}
