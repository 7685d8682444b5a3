internal import Events
internal import Vocabulary

/// Folders of this machine that hold artifacts.
public struct ArtifactFolders: Hashable, Sendable {
    /// Value of `artifacts.roots` in the worker's file: nothing outside these folders is an artifact, unless a project
    /// names its folder. Nil if the file does not state it: then any folder may contain artifacts.
    public let roots: [String]?
    /// Folder of this worker's trainer; Intake checks files in it if no roots are named.
    public let trainerFolder: String?

    /// Creates the folders from absolute paths.
    public init(roots: [String]? = nil, trainerFolder: String? = nil) {
        self.roots = roots
        self.trainerFolder = trainerFolder
    }
}

/// Check of which artifacts Intake admits, and whether their files exist.
struct ArtifactGate {
    /// Milliseconds of a transaction that may be spent waiting for the disk.
    static let maximumWait: Int64 = 1_000

    private let folders: ArtifactFolders
    /// Nil: no file is checked.
    private let inspector: FileInspector?
    private var left = Self.maximumWait

    init(_ folders: ArtifactFolders = ArtifactFolders(), _ inspector: FileInspector? = nil) {
        self.folders = folders
        self.inspector = inspector
    }

    /// Checks the artifact that a result states, for `maximumWait` in a transaction at most.
    ///
    /// - Returns: Whether the file exists with that size; nil if it could not be checked: for other schemes, outside
    ///   the known folders, or when the disk did not answer in time.
    /// - Throws: `forbiddenArtifact` if the artifact is in a location where none is allowed.
    mutating func check(_ result: TrainingResult, allowed: [ArtifactPrefix]) throws(RecordRejection) -> Bool? {
        guard case .finished(let artifact, _, _, _) = result.outcome else { return nil }
        return try check(artifact, allowed: allowed)
    }

    /// Checks any artifact, with the same limit, result and error as the artifact of a training result.
    mutating func check(_ artifact: ArtifactReference, allowed: [ArtifactPrefix]) throws(RecordRejection) -> Bool? {
        guard let uri = ArtifactURI(artifact.uri) else {
            throw RecordRejection(
                .forbiddenArtifact,
                "artifact.uri: expected a URI that means one thing to everybody (no user before the host, no '..', no escaped '/'), found \(artifact.uri)"
            )
        }
        let matching = allowed.filter { $0.covers(uri) }
        guard !matching.isEmpty else {
            let names = allowed.prefix(5).map(\.text).joined(separator: ", ") + (allowed.count > 5 ? ", …" : "")
            throw RecordRejection(
                .forbiddenArtifact,
                "artifact.uri: \(artifact.uri) lies at no place that the project allows (training.artifacts: \(names))"
            )
        }
        guard let path = uri.filePath else { return nil }
        let question = FileInspector.Question(
            path: path,
            // A training result always states a size; for a registered model, the result of the check is not used.
            size: artifact.size ?? 0,
            folders: folders(of: matching),
            checkedFolders: folders.roots ?? folders.trainerFolder.map { [$0] } ?? []
        )
        let finding = left > 0 ? inspector?.inspect(question, left: &left) : nil
        let seen = finding ?? FileInspector.Finding(byNameOf: question)
        guard seen.isInside else {
            throw RecordRejection(
                .forbiddenArtifact,
                "artifact.uri: \(artifact.uri) leads out of the folders that hold artifacts (training.artifacts, or artifacts.roots of the worker's file)"
            )
        }
        return seen.exists
    }

    /// Ends a transaction: the next one may again wait for `maximumWait` milliseconds.
    mutating func transactionEnded() { left = Self.maximumWait }

    /// Returns the folders that may contain the file according to `prefixes`; nil if any folder may.
    private func folders(of prefixes: [ArtifactPrefix]) -> [String]? {
        var names: [String] = []
        for prefix in prefixes {
            if let folder = prefix.folder {
                names.append(folder)
            } else if let roots = folders.roots {
                names += roots
            } else {
                return nil
            }
        }
        return names
    }
}
