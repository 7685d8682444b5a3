internal import Acquisition
internal import Flywheel
internal import Vocabulary

/// Required space of a file's embeddings: the project's space as far as it is known; if its dimension is unknown, the
/// dimension of most of the file's embeddings.
struct ImportSpace {
    private let known: EmbeddingSpace
    /// Most common dimension in the file, by the space that the samples name; of equally common ones the first. Empty
    /// if the dimension of the project's space is known.
    private var dimensions: [SpaceID?: Int] = [:]

    /// - Parameters:
    ///   - file: The file whose embeddings are examined.
    ///   - configuration: The project's configuration, which may declare a space.
    ///   - state: The project's state, which may contain a learnt space; nil if nothing is known of it.
    /// - Complexity: O(*n*) in the rows.
    init(of file: ImportFile, _ configuration: ProjectConfiguration, _ state: ProjectState?) {
        known =
            state?.acquisition.knownSpace(configuration.embedding) ?? configuration.embedding ?? EmbeddingSpace()
        guard known.dimension == nil else { return }
        var counts: [SpaceID?: [(dimension: Int, count: Int)]] = [:]
        for row in file.rows {
            guard let count = row.sample.embedding?.count else { continue }
            var seen = counts[row.sample.space] ?? []
            if let index = seen.firstIndex(where: { $0.dimension == count }) {
                seen[index].count += 1
            } else {
                seen.append((count, 1))
            }
            counts[row.sample.space] = seen
        }
        for (space, seen) in counts {
            // The first of the largest.
            var best = (dimension: 0, count: 0)
            for entry in seen where entry.count > best.count { best = entry }
            dimensions[space] = best.dimension
        }
    }

    /// Describes why a sample's embedding does not fit the space; nil where it fits.
    func fault(of sample: Sample) -> String? {
        if let fault = known.fault(of: sample) { return "\(fault) (the space of the project's embeddings)" }
        guard let found = sample.embedding?.count, let expected = dimensions[sample.space], found != expected else {
            return nil
        }
        return "sample.embedding: expected \(expected) dimensions as most of the file's have, found \(found)"
    }
}
