internal import Foundation

/// Targets that keep no state.
public enum CodecTargets {
    /// All of them; project files to begin with are read from `docs/examples` beside the folder `schemas`, where it is.
    public static func all(_ corpus: Corpus) throws -> [any FuzzTarget] {
        let example = URL(fileURLWithPath: corpus.folder).deletingLastPathComponent()
            .appendingPathComponent("docs/examples/project.yaml")
        let files = (try? Data(contentsOf: example)).map { [[UInt8]($0)] } ?? []
        return [
            try JSONTarget(corpus: corpus), YAMLTarget(files: files), ArgumentsTarget(), CodecTarget(corpus: corpus),
        ]
    }
}
