internal import EngineCore
internal import Events
internal import Hashing
internal import Storage
public import Vocabulary

/// Problem found in a version.
public struct VersionProblem: Hashable, Sendable {
    /// Nil where the manifest of an ordinal cannot be read.
    public let version: DatasetVersionID?
    /// The ordinal, where no id is known.
    public let ordinal: Int?
    public let text: String
}

extension DatasetStore {
    /// Every problem of a version: files that are missing, changed or of another length. Empty when it is whole.
    ///
    /// - Throws: `EngineError` of a manifest that cannot be read.
    public func verify(_ project: ProjectID, id: DatasetVersionID) throws -> [String] {
        guard let manifest = try manifest(project, id: id) else { return ["version \(id) is not here"] }
        var verifier = DatasetVerifier(self, project)
        try verifier.add(manifest)
        return try verifier.problems().map(\.text)
    }

    /// Every problem of all versions of a project but those that were collected, each file of which is read once.
    ///
    /// - Returns: The ids of the versions in their order, and what is wrong; ordinals that are missing, and manifests that none
    ///   names, among it.
    /// - Complexity: O(*n*) in the bytes of the project's files.
    public func verify(_ project: ProjectID) throws -> (versions: [DatasetVersionID], problems: [VersionProblem]) {
        var verifier = DatasetVerifier(self, project)
        var problems: [VersionProblem] = []
        var versions: [DatasetVersionID] = []
        let gone = try collected(project)
        var named: Set<DatasetVersionID> = []
        var next = 1
        for ordinal in try ordinals(project) {
            if ordinal > next { problems.append(Self.gap(next..<ordinal, project)) }
            next = max(next, ordinal.adding(1))
            if let id = try id(project, ordinal: ordinal) {
                named.insert(id)
                if gone.contains(id) { continue }
            }
            // One that cannot be read keeps nobody from looking at the others.
            do {
                guard let manifest = try manifest(project, ordinal: ordinal) else {
                    let text = "it names a version that is not here"
                    problems.append(VersionProblem(version: nil, ordinal: ordinal, text: text))
                    continue
                }
                try verifier.add(manifest)
                versions.append(manifest.id)
            } catch let error as EngineError {
                problems.append(VersionProblem(version: nil, ordinal: ordinal, text: "\(error)"))
            }
        }
        for id in try manifests(project) where !named.contains(id) && !gone.contains(id) {
            // That of a seal that is at work, or was cut off before its last step, comes behind all others.
            if let manifest = try? manifest(project, id: id), manifest.ordinal >= next { continue }
            let text = "no ordinal names it: of another build, or its ordinal was changed"
            problems.append(VersionProblem(version: id, ordinal: nil, text: text))
        }
        return (versions, try problems + verifier.problems())
    }

    private static func gap(_ missing: Range<Int>, _ project: ProjectID) -> VersionProblem {
        let (first, last) = (missing.lowerBound, missing.upperBound - 1)
        let name = first == last ? "\(project)/ordinals/\(first) is" : "\(project)/ordinals/\(first) to \(last) are"
        return VersionProblem(version: nil, ordinal: first, text: "\(name) missing, and there are later ones")
    }

    /// The ids under which manifests are there, ascending.
    private func manifests(_ project: ProjectID) throws(StorageError) -> [DatasetVersionID] {
        try objects.list("\(project)/versions").compactMap { name in
            let parts = name.split(separator: "/")
            return parts.count == 4 && parts[3] == "manifest.json" ? DatasetVersionID(String(parts[2])) : nil
        }
    }

    /// Describes a problem of the second copy of a file that is stored both plain and packed; nil where there is no
    /// problem or no second copy.
    ///
    /// - Throws: `StorageError` of a store that is away.
    func problemOfCopy(_ entry: DatasetEntry, _ name: String) throws(StorageError) -> String? {
        guard let store = objects as? ZstdStore else { return nil }
        do throws(StorageError) {
            guard let copy = try store.other(name, maximumSize: entry.size) else { return nil }
            return SHA256Digest(of: copy.bytes).hex == entry.sha256 ? nil : "\(copy.name) has another digest"
        } catch {
            guard !error.isRemote else { throw error }
            return "\(name) lies there plain and packed, and one of them cannot be read: \(error)"
        }
    }
}
