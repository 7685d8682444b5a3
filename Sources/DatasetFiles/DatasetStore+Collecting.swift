internal import Events
internal import JSON
public import Storage
public import Vocabulary

/// Collection of versions that nothing needs.
extension DatasetStore {
    /// Age in seconds below which everything is kept.
    public static let collectionAge: Int64 = 86_400

    /// Returns which of a project's versions may be removed: all except the needed ones, the newest, and those
    /// younger than a day.
    ///
    /// - Parameters:
    ///   - project: The project.
    ///   - needs: Which versions are needed, and why.
    ///   - now: Seconds since 1970.
    /// - Returns: The plan: versions and objects to remove and to keep, with the reasons; nothing has changed.
    /// - Throws: `EngineError` if a version that is kept cannot be read, `StorageError` if the store refuses.
    /// - Complexity: O(*n*) in the project's objects, whose names are held, and in the pages of the versions that are
    ///   kept.
    public func collection(_ project: ProjectID, _ needs: VersionNeeds, now: Int64) throws -> VersionCollection {
        var collector = VersionCollector(
            self,
            project,
            needs,
            writtenBefore: now.subtracting(Self.collectionAge)
        )
        return try collector.collection()
    }

    /// Executes a collection: writes the record of each version that is removed, and removes its manifest, and then the
    /// objects that no version names.
    ///
    /// If the process is killed at any point, every version is either whole or recorded as collected; the next
    /// collection completes the rest.
    ///
    /// - Parameters:
    ///   - collection: The versions and objects to remove.
    ///   - removed: Called with each object that has been removed.
    /// - Throws: `StorageError` if the store refuses.
    public func carryOut(
        _ collection: VersionCollection,
        removed: (VersionCollection.Object) -> Void = { _ in }
    ) throws(StorageError) {
        for record in collection.records {
            try objects.put(record.jsonBytes, as: Self.collectedName(record.project, record.id))
        }
        for object in collection.removed {
            try objects.remove(object.name)
            removed(object)
        }
    }

    /// The first line of a text, without its line feed; nil where there is none.
    func firstLine(of name: String) throws -> [UInt8]? {
        let piece = 64 << 10
        let bytes = try objects.read(name, range: 0..<piece)
        if let end = bytes.firstIndex(of: 0x0A) { return Array(bytes[..<end]) }
        guard bytes.count == piece else { return bytes.isEmpty ? nil : bytes }
        let all = try objects.read(name, maximumSize: DatasetForm.segmentSize)
        return Array(all[..<(all.firstIndex(of: 0x0A) ?? all.count)])
    }
}
