internal import Foundation

/// Golden files and counter-examples of the published schemas, from which mutations start.
public struct Corpus: Sendable {
    /// Folder from which they were read.
    public let folder: String
    /// Trees of each event (as `prediction`), in the order of file names.
    public let trees: [String: [JSONTree]]
    /// Trees of all events, in the order of their names.
    public let all: [JSONTree]

    /// Reads the folder `schemas` of the project.
    ///
    /// - Throws: An error if the folder is missing or contains no golden file.
    public init(folder: String) throws {
        var trees: [String: [JSONTree]] = [:]
        for event in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            for kind in ["golden", "invalid"] {
                let path = "\(folder)/\(event)/\(kind)"
                for name in ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() {
                    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
                    if let tree = JSONTree(reading: bytes) { trees[event, default: []].append(tree) }
                }
            }
        }
        guard !trees.isEmpty else { throw FuzzFault("no golden file in \(folder): name the folder with --schemas") }
        self.folder = folder
        self.trees = trees
        all = trees.keys.sorted().flatMap { trees[$0] ?? [] }
    }

    /// Trees of an event; empty where there are none.
    public subscript(event: String) -> [JSONTree] { trees[event] ?? [] }
}
