internal import Events
public import Vocabulary

/// What is wrong with a version.
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
    /// - Returns: The ids of the versions in their order, and what is wrong.
    /// - Complexity: O(*n*) in the bytes of the project's files.
    public func verify(_ project: ProjectID) throws -> (versions: [DatasetVersionID], problems: [VersionProblem]) {
        var verifier = DatasetVerifier(self, project)
        var problems: [VersionProblem] = []
        var versions: [DatasetVersionID] = []
        let gone = try collected(project)
        for ordinal in try ordinals(project) {
            if !gone.isEmpty, let id = try id(project, ordinal: ordinal), gone.contains(id) { continue }
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
        return (versions, try problems + verifier.problems())
    }
}
