internal import EngineCore
internal import Events
internal import Hashing
internal import Storage
public import Vocabulary

/// Problem found in a version.
public struct VersionProblem: Hashable, Sendable {
    /// Nil if the manifest of a version number cannot be read.
    public let version: DatasetVersionID?
    /// The version number, if no id is known.
    public let versionNumber: Int?
    public let text: String
}

extension DatasetStore {
    /// Returns every problem of a version: files that are missing, changed or of another length. Empty if it is whole.
    ///
    /// - Throws: `EngineError` if the manifest cannot be read.
    public func verify(_ project: ProjectID, id: DatasetVersionID) throws -> [String] {
        guard let manifest = try manifest(project, id: id) else { return ["version \(id) is not in the store"] }
        var verifier = DatasetVerifier(self, project)
        try verifier.add(manifest)
        return try verifier.problems().map(\.text)
    }

    /// Returns every problem of all versions of a project except collected ones; each file is read once.
    ///
    /// - Returns: The ids of the versions in their order, and their problems, including missing version numbers and
    ///   manifests that no version number names.
    /// - Complexity: O(*n*) in the bytes of the project's files.
    public func verify(_ project: ProjectID) throws -> (versions: [DatasetVersionID], problems: [VersionProblem]) {
        var verifier = DatasetVerifier(self, project)
        var problems: [VersionProblem] = []
        var versions: [DatasetVersionID] = []
        let collectedIDs = try collected(project)
        var named: Set<DatasetVersionID> = []
        var next = 1
        for versionNumber in try versionNumbers(project) {
            if versionNumber > next { problems.append(Self.gap(next..<versionNumber, project)) }
            next = max(next, versionNumber.adding(1))
            if let id = try id(project, versionNumber: versionNumber) {
                named.insert(id)
                if collectedIDs.contains(id) { continue }
            }
            // A version that cannot be read does not prevent the check of the others.
            do {
                guard let manifest = try manifest(project, versionNumber: versionNumber) else {
                    let text = "it names a version that is not in the store"
                    problems.append(VersionProblem(version: nil, versionNumber: versionNumber, text: text))
                    continue
                }
                try verifier.add(manifest)
                versions.append(manifest.id)
            } catch let error as EngineError {
                problems.append(VersionProblem(version: nil, versionNumber: versionNumber, text: "\(error)"))
            }
        }
        for id in try manifests(project) where !named.contains(id) && !collectedIDs.contains(id) {
            // The manifest of a seal that is in progress, or was interrupted before its last step, has a higher version
            // number than all others.
            if let manifest = try? manifest(project, id: id), manifest.versionNumber >= next { continue }
            let text = "no file in ordinals/ names it: another build wrote it, or that file was changed"
            problems.append(VersionProblem(version: id, versionNumber: nil, text: text))
        }
        return (versions, try problems + verifier.problems())
    }

    private static func gap(_ missing: Range<Int>, _ project: ProjectID) -> VersionProblem {
        let (first, last) = (missing.lowerBound, missing.upperBound - 1)
        let name = first == last ? "\(project)/ordinals/\(first) is" : "\(project)/ordinals/\(first) to \(last) are"
        return VersionProblem(version: nil, versionNumber: first, text: "\(name) missing, and there are later ones")
    }

    /// Ids of the versions whose manifests are in the store, ascending.
    private func manifests(_ project: ProjectID) throws(StorageError) -> [DatasetVersionID] {
        try objects.list("\(project)/versions").compactMap { name in
            let parts = name.split(separator: "/")
            return parts.count == 4 && parts[3] == "manifest.json" ? DatasetVersionID(String(parts[2])) : nil
        }
    }

    /// Describes a problem of the second copy of a file that is stored both plain and packed; nil where there is no
    /// problem or no second copy.
    ///
    /// - Throws: `StorageError` if the store is unavailable.
    func problemOfCopy(_ entry: DatasetEntry, _ name: String) throws(StorageError) -> String? {
        guard let store = objects as? ZstdStore else { return nil }
        do throws(StorageError) {
            guard let copy = try store.otherCopy(name, maximumSize: entry.size) else { return nil }
            return SHA256Digest(of: copy.bytes).hex == entry.sha256 ? nil : "\(copy.name) has another digest"
        } catch {
            guard !error.isRemote else { throw error }
            return "\(name) exists both plain and compressed, and one of the two cannot be read: \(error)"
        }
    }
}
