internal import Foundation

/// Targets that keep no state.
public enum CodecTargets {
    /// Returns all of them. Mutations of project files start from the one in `docs/examples` beside the folder
    /// `schemas`, if it exists.
    public static func all(_ corpus: Corpus) throws -> [any FuzzTarget] {
        let example = URL(fileURLWithPath: corpus.folder).deletingLastPathComponent()
            .appendingPathComponent("docs/examples/project.yaml")
        let files = (try? Data(contentsOf: example)).map { [[UInt8]($0)] } ?? []
        return [
            try JSONTarget(corpus: corpus), YAMLTarget(files: files), ArgumentsTarget(), CodecTarget(corpus: corpus),
        ]
    }
}
