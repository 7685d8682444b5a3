public import Forms

extension EmbeddingSpace: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let naming: StaticString =
            "The encoder's name. Another name begins a new [space](acquisition.md#batches)."
        let dimensions: StaticString = "Numbers of an embedding; learnt from the first 20 unless given."
        let bound: StaticString = "The largest Euclidean norm; unless given ten times the median of the first 20."
        self.init(
            name: try f.optional("space", \.name, ID(), doc: naming),
            dimension: try f.optional("dimension", \.dimension, Count(1...4_096), doc: dimensions),
            norm: try f.optional("norm", \.norm, Number(Self.norms), doc: bound)
        )
    }
}
