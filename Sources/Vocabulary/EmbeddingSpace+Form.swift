public import Forms

extension EmbeddingSpace: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let naming: StaticString =
            "Name of the encoder. Another name begins a new [space](acquisition.md#batches)."
        let dimensions: StaticString =
            "Number of coordinates of an embedding; without the key, it is learnt from the first 20 embeddings."
        let bound: StaticString =
            "Largest Euclidean norm of an embedding; without the key, ten times the median norm of the first 20 embeddings."
        self.init(
            name: try f.optional("space", \.name, ID(), doc: naming),
            dimension: try f.optional("dimension", \.dimension, Count(1...4_096), doc: dimensions),
            norm: try f.optional("norm", \.norm, Number(Self.norms), doc: bound)
        )
    }
}
